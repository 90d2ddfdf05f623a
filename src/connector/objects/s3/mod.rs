//! A bucket behind an S3 interface. One client per store, with the SDK's own retries (adaptive: it slows down when the store says so), and one
//! call of the interface per function. Governance retention is never bypassed: no call here can.

/// A call about one version, with what every such call says: where it is, which account must own the bucket, and who pays.
macro_rules! about_version {
    ($store:expr, $call:ident, $entry:expr) => {
        $store
            .client
            .$call()
            .bucket(&$store.bucket)
            .key(key_text(&$entry.key)?)
            .set_version_id($entry.id.clone())
            .set_expected_bucket_owner($store.owner.clone())
            .set_request_payer($store.payer.clone())
    };
}

mod configuration;
mod delete;
mod error;
mod list;
mod locks;
mod read;
mod url;
mod write;

use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Credentials, RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::types::RequestPayer;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use futures_util::future::BoxFuture;
use secrecy::ExposeSecret;

use super::{
    Checksums, Condition, Details, Encryption, Entry, Fate, Lock, ObjectKey, ObjectStore, Page, PageMark, Reading, S3Address,
    S3Credentials, StoreError, StoreFacts, Writing,
};

/// Tries per call, the first one included.
const TRIES: u32 = 5;
/// How long one try may take before its answer begins.
const TRY: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(10);
/// Calls about single objects that run at once.
const AT_ONCE: usize = 16;

/// A bucket.
#[derive(Debug, Clone)]
pub struct S3Store {
    client: Client,
    bucket: String,
    owner: Option<String>,
    payer: Option<RequestPayer>,
    encryption: Option<Encryption>,
    checksums: Checksums,
    endpoint: Option<String>,
}

impl S3Store {
    /// A client for this address; nothing is sent yet.
    pub async fn connect(address: &S3Address, verify: bool) -> S3Store {
        let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
        if let Some(region) = &address.region {
            loader = loader.region(Region::new(region.clone()));
        } else if address.endpoint.is_some() {
            // Stores that are not AWS take any, and the SDK does not sign without one.
            loader = loader.region(Region::new("us-east-1"));
        }
        let own = address.verify.as_ref().filter(|_| verify).or(address.credentials.as_ref());
        if let Some(credentials) = own {
            loader = loader.credentials_provider(credentials_of(credentials));
        }
        let shared = loader.load().await;
        let (request, response) = match address.checksums {
            Checksums::WhenRequired => (RequestChecksumCalculation::WhenRequired, ResponseChecksumValidation::WhenRequired),
            Checksums::WhenSupported => (RequestChecksumCalculation::WhenSupported, ResponseChecksumValidation::WhenSupported),
        };
        let mut config = aws_sdk_s3::config::Builder::from(&shared)
            .retry_config(RetryConfig::adaptive().with_max_attempts(TRIES))
            .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(TRY).build())
            .request_checksum_calculation(request)
            .response_checksum_validation(response)
            .force_path_style(address.path_style);
        if let Some(endpoint) = &address.endpoint {
            config = config.endpoint_url(endpoint.clone());
        }
        S3Store {
            client: Client::from_conf(config.build()),
            bucket: address.bucket.clone(),
            owner: address.expected_bucket_owner.clone(),
            payer: address.requester_pays.then_some(RequestPayer::Requester),
            encryption: address.encryption.clone(),
            checksums: address.checksums,
            endpoint: address.endpoint.clone(),
        }
    }
}

fn credentials_of(own: &S3Credentials) -> Credentials {
    let token = own.session_token.as_ref().map(|token| token.expose_secret().to_owned());
    Credentials::new(own.access_key_id.clone(), own.secret_access_key.expose_secret(), token, None, "habeas configuration")
}

/// S3's keys are UTF-8; another key cannot be there.
fn key_text(key: &ObjectKey) -> Result<&str, StoreError> {
    key.text().ok_or(StoreError::Gone)
}

impl ObjectStore for S3Store {
    fn facts(&self) -> BoxFuture<'_, Result<StoreFacts, StoreError>> {
        Box::pin(self.read_configuration())
    }

    fn list<'a>(&'a self, prefix: &'a [u8], after: Option<PageMark>) -> BoxFuture<'a, Result<Page, StoreError>> {
        Box::pin(self.list_versions(prefix, after))
    }

    fn list_uploads<'a>(&'a self, prefix: &'a [u8], after: Option<PageMark>) -> BoxFuture<'a, Result<Page, StoreError>> {
        Box::pin(self.list_unfinished(prefix, after))
    }

    fn details<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<Details, StoreError>> {
        Box::pin(self.look_at(entry))
    }

    fn read<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<Reading, StoreError>> {
        Box::pin(self.open(entry))
    }

    fn restore<'a>(&'a self, entry: &'a Entry, days: u16) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.ask_for(entry, days))
    }

    fn locks<'a>(&'a self, entries: &'a [Entry]) -> BoxFuture<'a, Result<Vec<Lock>, StoreError>> {
        Box::pin(self.locks_on(entries))
    }

    fn set_legal_hold<'a>(&'a self, entry: &'a Entry, on: bool) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.switch_legal_hold(entry, on))
    }

    fn delete<'a>(&'a self, entries: &'a [Entry], within: Duration) -> BoxFuture<'a, Result<Vec<Fate>, StoreError>> {
        Box::pin(self.delete_by_id(entries, within))
    }

    fn write<'a>(
        &'a self,
        key: &'a ObjectKey,
        details: &'a Details,
        condition: Option<Condition>,
    ) -> BoxFuture<'a, Result<Box<dyn Writing>, StoreError>> {
        Box::pin(self.begin_writing(key, details, condition))
    }
}
