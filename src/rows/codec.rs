//! How the bytes of an object are compressed. Reading goes over all members of a gzip file and all frames of a zstd file; a stream that is
//! cut or damaged, or followed by something else, is an error and never an end.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

/// The compression of a text-like object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// None.
    Plain,
    /// RFC 1952, of one or more members.
    Gzip,
    /// RFC 8878, of one or more frames.
    Zstd,
}

impl Codec {
    /// What the first bytes of an object show. Neither JSON Lines nor CSV can begin like gzip or zstd.
    pub fn of_first_bytes(bytes: &[u8]) -> Codec {
        match bytes {
            [0x1f, 0x8b, ..] => Codec::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Codec::Zstd,
            _ => Codec::Plain,
        }
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Codec::Plain => "plain text",
            Codec::Gzip => "gzip",
            Codec::Zstd => "zstd",
        }
    }

    /// Reads what is inside.
    pub(super) fn reader<'r>(self, input: impl Read + Send + 'r) -> io::Result<Box<dyn Read + Send + 'r>> {
        let input = BufReader::with_capacity(128 * 1024, input);
        Ok(match self {
            Codec::Plain => Box::new(input),
            Codec::Gzip => Box::new(MultiGzDecoder::new(input)),
            Codec::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(NotEmpty { input, seen: false })?),
        })
    }
}

/// Refuses a zstd file of no bytes at all, which the decoder takes for one without frames.
struct NotEmpty<R> {
    input: R,
    seen: bool,
}

impl<R: BufRead> Read for NotEmpty<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

impl<R: BufRead> BufRead for NotEmpty<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let bytes = self.input.fill_buf()?;
        if bytes.is_empty() && !self.seen {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.seen = true;
        Ok(bytes)
    }

    fn consume(&mut self, length: usize) {
        self.input.consume(length);
    }
}
