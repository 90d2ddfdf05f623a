//! Small pictures for the demo, drawn and not photographed: an avatar for each account, and what a screen looked like at work. Pure: the same
//! bytes every time, as PNG (W3C PNG, third edition), 8-bit RGB.

use std::io::{self, Write};

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

use super::sequence::Sequence;

type Colour = [u8; 3];

const PAPER: Colour = [244, 244, 240];
const INKS: [Colour; 5] = [[36, 83, 122], [155, 66, 50], [64, 110, 66], [122, 84, 148], [176, 124, 32]];

/// A pattern of five by five squares, the same on both sides.
pub(super) fn avatar(seed: u64) -> io::Result<Vec<u8>> {
    const SQUARE: usize = 24;
    let mut sequence = Sequence::new(seed);
    let ink = sequence.pick(&INKS);
    let half: Vec<bool> = (0..15).map(|_| sequence.below(2) == 1).collect();
    png(5 * SQUARE, 5 * SQUARE, |x, y| {
        let (column, row) = (x / SQUARE, y / SQUARE);
        let is_inked = half[row * 3 + column.min(4 - column)];
        if is_inked { ink } else { PAPER }
    })
}

/// A window with a few lines of something that cannot be read.
pub(super) fn screen(seed: u64) -> io::Result<Vec<u8>> {
    const LINE: usize = 12;
    let mut sequence = Sequence::new(seed);
    let ink = sequence.pick(&INKS);
    let lengths: Vec<usize> = (0..9).map(|_| usize::try_from(40 + sequence.below(150)).unwrap_or(40)).collect();
    png(240, 150, |x, y| match (y / LINE, y % LINE) {
        (0, _) => ink,
        (line, 3..8) if x > 15 && lengths.get(line - 1).is_some_and(|length| x < 15 + length) => [120, 120, 120],
        _ => PAPER,
    })
}

fn png(width: usize, height: usize, pixel: impl Fn(usize, usize) -> Colour) -> io::Result<Vec<u8>> {
    let side = |side: usize| u32::try_from(side).map_err(io::Error::other);
    let mut header = Vec::new();
    header.extend(side(width)?.to_be_bytes());
    header.extend(side(height)?.to_be_bytes());
    // Eight bits, RGB, and the only values that there are for compression, filters and no interlacing.
    header.extend([8, 2, 0, 0, 0]);
    let mut lines = ZlibEncoder::new(Vec::new(), Compression::new(6));
    for y in 0..height {
        lines.write_all(&[0])?;
        for x in 0..width {
            lines.write_all(&pixel(x, y))?;
        }
    }
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut file, *b"IHDR", &header)?;
    chunk(&mut file, *b"IDAT", &lines.finish()?)?;
    chunk(&mut file, *b"IEND", &[])?;
    Ok(file)
}

fn chunk(file: &mut Vec<u8>, name: [u8; 4], data: &[u8]) -> io::Result<()> {
    file.extend(u32::try_from(data.len()).map_err(io::Error::other)?.to_be_bytes());
    let mut sum = Crc::new();
    sum.update(&name);
    sum.update(data);
    file.extend(name);
    file.extend(data);
    file.extend(sum.sum().to_be_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_the_same_every_time_and_differ_between_people() {
        assert_eq!(avatar(7).unwrap(), avatar(7).unwrap());
        assert_ne!(avatar(7).unwrap(), avatar(8).unwrap());
        assert_ne!(screen(7).unwrap(), screen(8).unwrap());
    }
}
