//! Digests: what a client says about the bytes it sends is checked (`BadDigest`), and what is kept is told when asked for.
//! Uploads in parts have a digest of the parts' digests (`…-N`), or of the whole where the upload was started so.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::{Checksum, ChecksumType};
use s3s::{S3Result, s3_error};

/// What S3 computes where a client has not chosen.
pub const DEFAULT: &str = "CRC64NVME";
const ALGORITHMS: [&str; 5] = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"];

/// The digests that a request or a part of one carries in its fields.
macro_rules! checksum_of {
    ($from:expr) => {
        s3s::dto::Checksum {
            checksum_crc32: $from.checksum_crc32.clone(),
            checksum_crc32c: $from.checksum_crc32c.clone(),
            checksum_crc64nvme: $from.checksum_crc64nvme.clone(),
            checksum_sha1: $from.checksum_sha1.clone(),
            checksum_sha256: $from.checksum_sha256.clone(),
            ..Default::default()
        }
    };
}
/// Puts digests into the fields of an answer.
macro_rules! tell_checksum {
    ($into:expr, $sum:expr) => {{
        let sum = $sum.clone();
        $into.checksum_crc32 = sum.checksum_crc32;
        $into.checksum_crc32c = sum.checksum_crc32c;
        $into.checksum_crc64nvme = sum.checksum_crc64nvme;
        $into.checksum_sha1 = sum.checksum_sha1;
        $into.checksum_sha256 = sum.checksum_sha256;
    }};
}
pub(super) use {checksum_of, tell_checksum};

fn slot<'a>(sum: &'a mut Checksum, algorithm: &str) -> &'a mut Option<String> {
    match algorithm {
        "CRC32" => &mut sum.checksum_crc32,
        "CRC32C" => &mut sum.checksum_crc32c,
        "CRC64NVME" => &mut sum.checksum_crc64nvme,
        "SHA1" => &mut sum.checksum_sha1,
        "SHA256" => &mut sum.checksum_sha256,
        other => panic!("an unknown digest: {other}"),
    }
}

fn digest(algorithm: &str, bytes: &[u8]) -> String {
    match algorithm {
        "CRC32" => STANDARD.encode(Crc32::checksum(bytes)),
        "CRC32C" => STANDARD.encode(Crc32c::checksum(bytes)),
        "CRC64NVME" => STANDARD.encode(Crc64Nvme::checksum(bytes)),
        "SHA1" => STANDARD.encode(Sha1::checksum(bytes)),
        "SHA256" => STANDARD.encode(Sha256::checksum(bytes)),
        other => panic!("an unknown digest: {other}"),
    }
}

/// Digests that came after the body.
pub fn add_trailers(given: &mut Checksum, trailers: Option<&HeaderMap>) {
    for algorithm in ALGORITHMS {
        let header = format!("x-amz-checksum-{}", algorithm.to_lowercase());
        if let Some(value) = trailers.and_then(|trailers| trailers.get(&header)) {
            *slot(given, algorithm) = value.to_str().ok().map(str::to_owned);
        }
    }
}

/// Compares what was said with what arrived. What is kept: the digests given, or one of our own choice.
pub fn check(mut given: Checksum, md5: Option<&str>, wanted: Option<&str>, bytes: &[u8]) -> S3Result<Checksum> {
    if md5.is_some_and(|md5| md5 != STANDARD.encode(Md5::checksum(bytes))) {
        return Err(s3_error!(BadDigest, "The Content-MD5 you specified did not match what we received."));
    }
    let mut kept = Checksum::default();
    for algorithm in ALGORITHMS {
        let Some(said) = slot(&mut given, algorithm).take() else { continue };
        if said != digest(algorithm, bytes) {
            return Err(s3_error!(BadDigest, "The {algorithm} you specified did not match the calculated checksum."));
        }
        *slot(&mut kept, algorithm) = Some(said);
    }
    if kept == Checksum::default() {
        let algorithm = wanted.unwrap_or(DEFAULT);
        *slot(&mut kept, algorithm) = Some(digest(algorithm, bytes));
    }
    kept.checksum_type = Some(ChecksumType::from_static(ChecksumType::FULL_OBJECT));
    Ok(kept)
}

/// The digest of an object put together from parts.
pub fn of_parts(algorithm: &str, composite: bool, parts: Vec<Checksum>, whole: &[u8]) -> Checksum {
    let mut sum = Checksum::default();
    if composite {
        let count = parts.len();
        let digests = parts.into_iter().flat_map(|mut part| {
            let digest = slot(&mut part, algorithm).take().unwrap_or_default();
            STANDARD.decode(digest).expect("a digest of ours")
        });
        *slot(&mut sum, algorithm) = Some(format!("{}-{count}", digest(algorithm, &digests.collect::<Vec<u8>>())));
        sum.checksum_type = Some(ChecksumType::from_static(ChecksumType::COMPOSITE));
    } else {
        *slot(&mut sum, algorithm) = Some(digest(algorithm, whole));
        sum.checksum_type = Some(ChecksumType::from_static(ChecksumType::FULL_OBJECT));
    }
    sum
}

/// Whether every digest that was said is the one that is kept.
pub fn agrees(mut said: Checksum, mut kept: Checksum) -> bool {
    ALGORITHMS.iter().all(|algorithm| {
        let said = slot(&mut said, algorithm).take();
        said.is_none() || said == slot(&mut kept, algorithm).take()
    })
}

/// The entity tag of bytes that came in one piece.
pub fn etag(bytes: &[u8]) -> String {
    hex(Md5::checksum(bytes).as_ref())
}

/// The entity tag of an object put together from parts.
pub fn etag_of_parts(etags: &[String]) -> String {
    let digests: Vec<u8> = etags.iter().flat_map(|etag| unhex(etag)).collect();
    format!("{}-{}", hex(Md5::checksum(&digests).as_ref()), etags.len())
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The other way; `None`-like inputs are a fault of the caller.
pub fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap_or(0)).collect()
}
