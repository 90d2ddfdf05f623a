//! Keeps the orders by which a file says that its smallest and largest values are. The library names the newest ones for floats and old
//! timestamps, whatever the file said: readers that do not know them would lose the statistics, and values that were copied would be taken
//! for something that they are not. So the last bytes of the footer, where the orders stand, are held back and put right at the end.

use std::io::{self, Write};

use parquet::basic::ColumnOrder;

/// Length of the footer and the letters of the format.
const TRAILER: usize = 8;

/// One order in the compact protocol: a field with an empty structure, and the end. Its first byte says which.
const ORDER: usize = 3;

/// The field `column_orders` after `created_by`, a list.
const FIELD: u8 = 0x19;

/// Writes to an output, except for the last bytes.
pub(super) struct HeldBack<W> {
    output: W,
    last: Vec<u8>,
    most: usize,
    columns: usize,
}

impl<W: Write> HeldBack<W> {
    /// For a file with so many columns.
    pub(super) fn new(output: W, columns: usize) -> HeldBack<W> {
        let most = 1 + list_header(columns).len() + ORDER * columns + 1 + TRAILER;
        HeldBack { output, last: Vec::new(), most, columns }
    }

    /// Writes the rest, with these orders; with none at all if the file had none.
    pub(super) fn finish(mut self, orders: Option<&[ColumnOrder]>) -> io::Result<W> {
        let unexpected = || io::Error::other("the footer is not as expected");
        let header = list_header(self.columns);
        let (list, trailer) = self.last.split_at_checked(self.last.len().saturating_sub(TRAILER)).ok_or_else(unexpected)?;
        let written = list.strip_prefix(&[FIELD]).and_then(|list| list.strip_prefix(header.as_slice())).ok_or_else(unexpected)?;
        let (written, end) = written.split_at_checked(ORDER * self.columns).ok_or_else(unexpected)?;
        let is_order = |order: &[u8]| matches!(order, [0x1c | 0x2c | 0x3c, 0, 0]);
        let fits = orders.is_none_or(|orders| orders.len() == self.columns);
        if end != [0] || !fits || !written.chunks(ORDER).all(is_order) {
            return Err(unexpected());
        }
        let mut right = Vec::with_capacity(self.last.len());
        if let Some(orders) = orders {
            right.push(FIELD);
            right.extend_from_slice(&header);
            for order in orders {
                right.extend_from_slice(&[first_byte(*order).ok_or_else(unexpected)?, 0, 0]);
            }
        }
        right.push(0);
        let [a, b, c, d, letters @ ..] = trailer else { return Err(unexpected()) };
        let length = u32::from_le_bytes([*a, *b, *c, *d]);
        let shorter = u32::try_from(list.len() - right.len()).map_err(|_| unexpected())?;
        right.extend_from_slice(&length.checked_sub(shorter).ok_or_else(unexpected)?.to_le_bytes());
        right.extend_from_slice(letters);
        self.output.write_all(&right)?;
        self.output.flush()?;
        Ok(self.output)
    }
}

/// How an order begins in the file; `None` for one that this module does not know.
pub(super) fn first_byte(order: ColumnOrder) -> Option<u8> {
    match order {
        ColumnOrder::TYPE_DEFINED_ORDER(_) => Some(0x1c),
        ColumnOrder::IEEE_754_TOTAL_ORDER => Some(0x2c),
        ColumnOrder::INT96_TIMESTAMP_ORDER => Some(0x3c),
        _ => None,
    }
}

/// The head of a list of so many structures.
fn list_header(length: usize) -> Vec<u8> {
    if length < 15 {
        return vec![((length << 4) | 0x0c) as u8];
    }
    let mut header = vec![0xfc];
    let mut rest = length;
    while rest >= 0x80 {
        header.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    header.push(rest as u8);
    header
}

impl<W: Write> Write for HeldBack<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() >= self.most {
            self.output.write_all(&self.last)?;
            let (now, last) = bytes.split_at(bytes.len() - self.most);
            self.output.write_all(now)?;
            self.last = last.to_vec();
            return Ok(bytes.len());
        }
        self.last.extend_from_slice(bytes);
        let too_many = self.last.len().saturating_sub(self.most);
        self.output.write_all(&self.last[..too_many])?;
        self.last.drain(..too_many);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_say_their_length() {
        assert_eq!(list_header(3), [0x3c]);
        assert_eq!(list_header(14), [0xec]);
        assert_eq!(list_header(15), [0xfc, 15]);
        assert_eq!(list_header(300), [0xfc, 0xac, 2]);
    }

    #[test]
    fn what_is_no_footer_is_refused() {
        for bytes in [&b""[..], b"PAR1", &[FIELD, 0x1c, 0x4c, 0, 0, 0, 9, 0, 0, 0, b'P', b'A', b'R', b'1']] {
            let mut output = HeldBack::new(Vec::new(), 1);
            output.write_all(bytes).unwrap();
            assert!(output.finish(None).is_err());
        }
    }

    #[test]
    fn bytes_pass_in_their_order_whatever_their_portions() {
        let footer = [FIELD, 0x1c, 0x2c, 0, 0, 0, 9, 0, 0, 0, b'P', b'A', b'R', b'1'];
        let content: Vec<u8> = (0..100u8).chain(footer).collect();
        for portion in 1..60 {
            let mut output = HeldBack::new(Vec::new(), 1);
            content.chunks(portion).for_each(|bytes| output.write_all(bytes).unwrap());
            let written = output.finish(None).unwrap();
            assert_eq!(written[..100], content[..100]);
            assert_eq!(written[100..], [0, 4, 0, 0, 0, b'P', b'A', b'R', b'1'], "five bytes fewer");
        }
    }
}
