//! One row of the manifest as bytes: step, key, fingerprint, new values. Small and without names, because a person may have millions.

use thiserror::Error;

use crate::value::{Key, KeyPart};

/// A row that a step will touch.
#[derive(Clone, PartialEq)]
pub struct ManifestRecord {
    /// Position of the step.
    pub step: u16,
    /// Primary key.
    pub key: Key,
    /// Fingerprint of the step's guard columns when the row was frozen.
    pub fingerprint: String,
    /// New values of an overwriting step.
    pub values: Vec<Option<String>>,
}

/// A record whose bytes make no sense: the manifest is damaged.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("a record of the manifest cannot be read")]
pub struct DamagedRecord;

impl ManifestRecord {
    /// The bytes that identify the row: what the manifest's digest is taken over. New values are left out, because they are made from a
    /// secret of the request and would make every digest differ.
    pub fn identity_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(32);
        bytes.extend(self.step.to_le_bytes());
        bytes.push(u8::try_from(self.key.len()).unwrap_or(u8::MAX));
        for part in &self.key {
            match part {
                KeyPart::Null => bytes.push(0),
                KeyPart::Int(value) => {
                    bytes.push(1);
                    bytes.extend(value.to_le_bytes());
                }
                KeyPart::Real(bits) => {
                    bytes.push(2);
                    bytes.extend(bits.to_le_bytes());
                }
                KeyPart::Text(text) => {
                    bytes.push(3);
                    put(&mut bytes, text.as_bytes());
                }
                KeyPart::Blob(blob) => {
                    bytes.push(4);
                    put(&mut bytes, blob);
                }
            }
        }
        put(&mut bytes, self.fingerprint.as_bytes());
        bytes
    }

    /// All bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.identity_bytes();
        bytes.extend(u16::try_from(self.values.len()).unwrap_or(u16::MAX).to_le_bytes());
        for value in &self.values {
            match value {
                None => bytes.push(0),
                Some(text) => {
                    bytes.push(1);
                    put(&mut bytes, text.as_bytes());
                }
            }
        }
        bytes
    }

    /// Reads [`ManifestRecord::to_bytes`] back.
    pub fn from_bytes(bytes: &[u8]) -> Result<ManifestRecord, DamagedRecord> {
        let mut rest = bytes;
        let step = u16::from_le_bytes(take::<2>(&mut rest)?);
        let [parts] = take::<1>(&mut rest)?;
        let mut key = Vec::with_capacity(usize::from(parts));
        for _ in 0..parts {
            let [tag] = take::<1>(&mut rest)?;
            key.push(match tag {
                0 => KeyPart::Null,
                1 => KeyPart::Int(i64::from_le_bytes(take::<8>(&mut rest)?)),
                2 => KeyPart::Real(u64::from_le_bytes(take::<8>(&mut rest)?)),
                3 => KeyPart::Text(take_text(&mut rest)?),
                4 => KeyPart::Blob(take_bytes(&mut rest)?.to_vec()),
                _ => return Err(DamagedRecord),
            });
        }
        let fingerprint = take_text(&mut rest)?;
        let count = u16::from_le_bytes(take::<2>(&mut rest)?);
        let mut values = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let [present] = take::<1>(&mut rest)?;
            values.push(if present == 1 { Some(take_text(&mut rest)?) } else { None });
        }
        if !rest.is_empty() {
            return Err(DamagedRecord);
        }
        Ok(ManifestRecord { step, key, fingerprint, values })
    }
}

fn put(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(part);
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], DamagedRecord> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or(DamagedRecord)?;
    *rest = tail;
    Ok(*head)
}

fn take_bytes<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], DamagedRecord> {
    let length = u32::from_le_bytes(take::<4>(rest)?) as usize;
    let (head, tail) = rest.split_at_checked(length).ok_or(DamagedRecord)?;
    *rest = tail;
    Ok(head)
}

fn take_text(rest: &mut &[u8]) -> Result<String, DamagedRecord> {
    String::from_utf8(take_bytes(rest)?.to_vec()).map_err(|_| DamagedRecord)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_and_damage_is_seen() {
        let record = ManifestRecord {
            step: 3,
            key: vec![KeyPart::Int(-1), KeyPart::Text("ord_é".into()), KeyPart::Blob(vec![0, 255]), KeyPart::Null],
            fingerprint: "(42,)".into(),
            values: vec![None, Some(String::new()), Some("x".into())],
        };
        let bytes = record.to_bytes();
        assert!(ManifestRecord::from_bytes(&bytes).unwrap() == record);
        for length in 0..bytes.len() {
            assert!(ManifestRecord::from_bytes(&bytes[..length]).is_err());
        }
    }
}
