//! The official client, set up for a test server. Plain HTTP on the loopback; few and quick retries, so that a test sees what it ordered.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use aws_smithy_http_client::Builder as HttpBuilder;

use super::{ACCESS_KEY, REGION, S3Server, SECRET_KEY};

impl S3Server {
    /// A client that does not retry.
    pub fn client(&self) -> Client {
        Client::from_conf(self.client_setup().build())
    }

    /// The same before it is built, for tests that change something.
    pub fn client_setup(&self) -> Builder {
        client_setup(&self.endpoint(), ACCESS_KEY, SECRET_KEY, REGION)
    }
}

/// For any engine.
pub fn client_setup(endpoint: &str, access_key: &str, secret_key: &str, region: &str) -> Builder {
    let credentials = Credentials::new(access_key, secret_key, None, None, "test");
    unsigned_setup(endpoint, region).credentials_provider(credentials)
}

/// For somebody without credentials.
pub fn unsigned_setup(endpoint: &str, region: &str) -> Builder {
    Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new(region.to_owned()))
        .force_path_style(true)
        .retry_config(RetryConfig::standard().with_max_attempts(1).with_initial_backoff(Duration::from_millis(10)))
        .http_client(HttpBuilder::new().build_http())
}

/// What has to be said to make a bucket anywhere but in the oldest region.
pub fn here() -> CreateBucketConfiguration {
    CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(REGION)).build()
}
