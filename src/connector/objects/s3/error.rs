//! The SDK's errors in our words. What a store writes into its messages may quote a key, so only codes and statuses go on.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use super::StoreError;

/// What an error of a call means.
pub(super) fn classify<E: ProvideErrorMetadata>(doing: &'static str, error: &SdkError<E, HttpResponse>) -> StoreError {
    match error {
        SdkError::ServiceError(context) => {
            let status = context.raw().status().as_u16();
            by_code(doing, context.err().code().unwrap_or_default(), status)
        }
        SdkError::ResponseError(_) => StoreError::Lost,
        SdkError::TimeoutError(_) => StoreError::Lost,
        SdkError::DispatchFailure(failure) if failure.is_user() => refused(doing, "request could not be sent"),
        SdkError::DispatchFailure(_) => StoreError::Lost,
        SdkError::ConstructionFailure(_) => refused(doing, "request could not be made: check region and credentials"),
        _ => refused(doing, "unknown"),
    }
}

/// What a code and a status mean.
pub(super) fn by_code(doing: &'static str, code: &str, status: u16) -> StoreError {
    match code {
        "AccessDenied"
        | "AllAccessDisabled"
        | "AccountProblem"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "Forbidden"
        | "ExpiredToken"
        | "InvalidToken" => StoreError::Denied { doing },
        "NoSuchBucket" => StoreError::Missing("bucket"),
        "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => StoreError::WrongRegion,
        "NoSuchKey" | "NoSuchVersion" | "NotFound" | "NoSuchUpload" => StoreError::Gone,
        "PreconditionFailed" | "ConditionalRequestConflict" => StoreError::Changed,
        "NotImplemented" => StoreError::NotSupported { doing },
        "RequestTimeTooSkewed" => StoreError::ClockSkew,
        "InvalidObjectState" => StoreError::Cold,
        "SlowDown" | "ServiceUnavailable" | "InternalError" | "RequestTimeout" | "OperationAborted" | "Throttling" => {
            StoreError::Busy(code.to_owned())
        }
        _ if code.starts_with("KMS.") => StoreError::Encrypted,
        _ => by_status(doing, code, status),
    }
}

fn by_status(doing: &'static str, code: &str, status: u16) -> StoreError {
    match status {
        301 | 307 => StoreError::WrongRegion,
        403 => StoreError::Denied { doing },
        // HEAD has no body to carry a code. Any other 404 is about something else than the object: a configuration that is not there.
        404 if code.is_empty() => StoreError::Gone,
        412 => StoreError::Changed,
        501 => StoreError::NotSupported { doing },
        500..=599 | 429 => StoreError::Busy(status.to_string()),
        _ => refused(doing, if code.is_empty() { "no code" } else { code }),
    }
}

/// Codes of an interface are words; anything else might be somebody's data.
fn refused(doing: &'static str, code: &str) -> StoreError {
    let is_plain = code.len() <= 64 && code.chars().all(|c| c.is_ascii_alphanumeric() || " .:_-".contains(c));
    StoreError::Refused { doing, code: if is_plain { code.to_owned() } else { "a code of its own".to_owned() } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_statuses_are_told_apart() {
        assert_eq!(by_code("list", "SlowDown", 503), StoreError::Busy("SlowDown".into()));
        assert_eq!(by_code("list", "", 403), StoreError::Denied { doing: "list" });
        assert_eq!(by_code("list", "NoSuchBucket", 404), StoreError::Missing("bucket"));
        assert_eq!(by_code("read", "KMS.DisabledException", 400), StoreError::Encrypted);
        assert_eq!(by_code("write", "", 412), StoreError::Changed);
        assert_eq!(by_code("look", "", 404), StoreError::Gone);
    }

    #[test]
    fn h_1_that_no_hold_is_set_does_not_mean_that_the_object_is_gone() {
        let unset = by_code("read the legal hold of an object", "NoSuchObjectLockConfiguration", 404);
        assert!(matches!(unset, StoreError::Refused { .. }), "retention is still to be asked for: {unset}");
    }

    #[test]
    fn s_1_a_code_that_is_no_code_is_not_repeated() {
        let told = by_code("read", "ada@example.com is not here!", 400).to_string();
        assert!(!told.contains("ada"), "{told}");
    }
}
