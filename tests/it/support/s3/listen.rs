//! The network side: a port on the loopback, HTTP/1.1, and misbehaviour that lies in the answer rather than in the effect.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_LENGTH, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use s3s::Body;
use s3s::dto::StreamingBlob;
use s3s::service::S3Service;
use s3s::stream::DynByteStream;
use tokio::net::{TcpListener, TcpStream};

use super::fault::{Misbehaviour, Seen};
use super::gate::Ticket;
use super::journal::Journal;
use super::world::World;

/// Everything that answering takes.
#[derive(Clone)]
pub struct Answerer {
    pub service: S3Service,
    pub world: Arc<Mutex<World>>,
    pub journal: Journal,
}

/// Accepts connections until its task is dropped.
pub async fn accept(listener: TcpListener, answerer: Answerer) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, answerer.clone()));
    }
}

/// A free port, by the system's choice.
pub async fn bind() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

async fn serve(stream: TcpStream, answerer: Answerer) {
    let answer = service_fn(move |request| answer(request, answerer.clone()));
    // A connection that ends badly ends badly for the client, which is what a test looks at.
    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await);
}

async fn answer(mut request: Request<Incoming>, answerer: Answerer) -> Result<Response<Body>, io::Error> {
    let cut = || io::Error::other("the test cut the connection");
    let ticket = Ticket::default();
    request.extensions_mut().insert(ticket.clone());
    let answered = answerer.service.call(request.map(Body::from)).await;
    let mut response = answered.map_err(|_| io::Error::other("no answer"))?;
    let (place, cut_before, wrong) = {
        let mut trip = ticket.0.lock().expect("a ticket");
        (trip.place, trip.cut, std::mem::take(&mut trip.wrong))
    };
    if cut_before {
        return Err(cut());
    }
    for misbehaviour in wrong {
        response = match misbehaviour {
            Misbehaviour::After(hook) => {
                hook(&mut answerer.world.lock().expect("the world"));
                response
            }
            Misbehaviour::CutAfter => return Err(cut()),
            Misbehaviour::RefuseAfterEffect(status, code) => error(StatusCode::from_u16(status).expect("a status"), code),
            Misbehaviour::ErrorInside200AfterEffect(code) => error(StatusCode::OK, code),
            Misbehaviour::TruncateBody(length) => truncated(response, length),
            Misbehaviour::CutListing => rewritten(response, cut_listing).await,
            Misbehaviour::RepeatToken(seen) => rewritten(response, |text| repeat_token(text, &seen)).await,
            _ => response,
        };
    }
    if let Some(place) = place {
        answerer.journal.answered(place, response.status().as_u16());
    }
    Ok(response)
}

fn error(status: StatusCode, code: &str) -> Response<Body> {
    let text =
        format!(r#"<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>ordered by a test</Message></Error>"#);
    let response = Response::builder().status(status).header("content-type", "application/xml");
    response.body(Body::from(text)).expect("a response")
}

/// The length that was announced stays, so the client can notice.
fn truncated(response: Response<Body>, length: usize) -> Response<Body> {
    response.map(|body| {
        let whole = StreamingBlob::from(body).map(|chunk| chunk.map_err(io::Error::other));
        let kept = whole.scan(length, |left, chunk| {
            let kept = chunk.map(|chunk| chunk.slice(..chunk.len().min(*left)));
            *left -= kept.as_ref().map_or(0, Bytes::len);
            std::future::ready((*left > 0 || kept.as_ref().is_ok_and(|kept| !kept.is_empty())).then_some(kept))
        });
        let end = stream::once(async {
            // What was sent has to leave before the connection breaks.
            tokio::time::sleep(Duration::from_millis(50)).await;
            Err(io::Error::other("the test cut the body"))
        });
        Body::from(DynByteStream::from(StreamingBlob::wrap(kept.chain(end))))
    })
}

async fn rewritten(response: Response<Body>, change: impl FnOnce(String) -> String) -> Response<Body> {
    let (mut head, mut body) = response.into_parts();
    let bytes = body.store_all_limited(usize::MAX).await.expect("a listing");
    let text = change(String::from_utf8(bytes.to_vec()).expect("a listing is text"));
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
    Response::from_parts(head, Body::from(text))
}

const TOKENS: [&str; 5] =
    ["NextContinuationToken", "NextKeyMarker", "NextVersionIdMarker", "NextUploadIdMarker", "NextPartNumberMarker"];

/// An answer that looks like the last page, in every respect.
fn cut_listing(text: String) -> String {
    let mut text = text.replace("<IsTruncated>true</IsTruncated>", "<IsTruncated>false</IsTruncated>");
    for name in TOKENS {
        if let Some(range) = inside(&text, name) {
            text.replace_range(range.start - name.len() - 2..range.end + name.len() + 3, "");
        }
    }
    text
}

/// Names the same next page whatever page this is.
fn repeat_token(mut text: String, seen: &Seen) -> String {
    let mut seen = seen.lock().expect("tokens");
    for name in TOKENS {
        let Some(range) = inside(&text, name) else { continue };
        let first = seen.entry(name).or_insert_with(|| text[range.clone()].to_owned());
        text.replace_range(range, first);
    }
    text
}

/// Where the text of an element lies.
fn inside(text: &str, name: &str) -> Option<std::ops::Range<usize>> {
    let start = text.find(&format!("<{name}>"))? + name.len() + 2;
    let end = start + text[start..].find(&format!("</{name}>"))?;
    Some(start..end)
}
