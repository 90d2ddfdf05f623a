//! What an object consists of: bytes that somebody uploaded, or a pattern repeated up to a length, so that a test can read
//! gigabytes that nobody has to keep. Never on disk.

use std::io;
use std::ops::Range;

use futures_util::{StreamExt, stream};
use hyper::body::Bytes;
use s3s::dto::StreamingBlob;
use s3s::{S3Result, s3_error};

const CHUNK: u64 = 64 * 1024;

/// The bytes of an object.
#[derive(Clone)]
pub enum Body {
    /// Kept in memory.
    Kept(Bytes),
    /// Made while they are read.
    Repeated { pattern: Bytes, length: u64 },
}

impl Body {
    pub fn length(&self) -> u64 {
        match self {
            Body::Kept(bytes) => bytes.len() as u64,
            Body::Repeated { length, .. } => *length,
        }
    }

    /// The bytes of a range that lies within.
    pub fn slice(&self, range: Range<u64>) -> Bytes {
        let [start, end] = [range.start, range.end].map(|at| usize::try_from(at).expect("an address"));
        match self {
            Body::Kept(bytes) => bytes.slice(start..end),
            Body::Repeated { pattern, .. } => {
                // Copied in blocks: gigabytes byte by byte would take minutes in a test.
                let from = start % pattern.len();
                let block = Bytes::from(pattern.repeat((end - start) / pattern.len() + 2));
                block.slice(from..from + (end - start))
            }
        }
    }

    /// A range as the network takes it.
    pub fn stream(self, range: Range<u64>) -> StreamingBlob {
        let chunks = stream::unfold(range.start, move |at| {
            let end = range.end.min(at + CHUNK);
            let chunk = (at < end).then(|| (Ok::<Bytes, io::Error>(self.slice(at..end)), end));
            std::future::ready(chunk)
        });
        StreamingBlob::wrap(chunks)
    }
}

/// What a client sends, whole. An upload that is cut in the middle is `IncompleteBody` and leaves nothing.
pub async fn receive(body: Option<StreamingBlob>) -> S3Result<Bytes> {
    let mut whole = Vec::new();
    if let Some(mut chunks) = body {
        while let Some(chunk) = chunks.next().await {
            whole.extend_from_slice(&chunk.map_err(|cause| s3_error!(io::Error::other(cause), IncompleteBody))?);
        }
    }
    Ok(whole.into())
}
