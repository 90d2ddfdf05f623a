//! Compressing and reading back, with the stock streams and not with ours.

use std::io::{Read, Write};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::rows::Codec;

/// The content as an object of so many members or frames.
pub fn packed(content: &[u8], codec: Codec, members: usize) -> Vec<u8> {
    let size = content.len().div_ceil(members.max(1)).max(1);
    let mut parts: Vec<&[u8]> = content.chunks(size).collect();
    if parts.is_empty() {
        parts.push(b"");
    }
    let mut object = Vec::new();
    for part in parts {
        match codec {
            Codec::Plain => object.extend_from_slice(part),
            Codec::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(part).unwrap();
                object.extend(encoder.finish().unwrap());
            }
            Codec::Zstd => object.extend(zstd::stream::encode_all(part, 1).unwrap()),
        }
    }
    object
}

/// What is in an object.
pub fn unpacked(object: &[u8], codec: Codec) -> Vec<u8> {
    let mut content = Vec::new();
    match codec {
        Codec::Plain => content.extend_from_slice(object),
        Codec::Gzip => {
            MultiGzDecoder::new(object).read_to_end(&mut content).unwrap();
        }
        Codec::Zstd => content = zstd::stream::decode_all(object).unwrap(),
    }
    content
}

/// A reader that gives a few bytes at a time.
pub struct Drops<'b>(pub &'b [u8], pub usize);

impl Read for Drops<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.0.len().min(self.1.max(1)).min(buffer.len());
        let (now, later) = self.0.split_at(length);
        buffer[..length].copy_from_slice(now);
        self.0 = later;
        Ok(length)
    }
}

pub const CODECS: [Codec; 3] = [Codec::Plain, Codec::Gzip, Codec::Zstd];
