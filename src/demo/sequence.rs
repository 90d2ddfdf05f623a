//! A fixed sequence of numbers for made-up data: the same database on every machine, so that tests can count its rows. It is no
//! source of randomness; secrets come from `crypto::random_bytes`.

/// SplitMix64 (Steele, Lea and Flood 2014): any seed gives a full-period sequence.
pub(super) struct Sequence(u64);

impl Sequence {
    /// Starts the sequence that belongs to `seed`.
    pub(super) fn new(seed: u64) -> Self {
        Sequence(seed)
    }

    /// The next 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A whole number from 0 up to, not including, `bound`.
    pub(super) fn below(&mut self, bound: i64) -> i64 {
        let wide = u128::from(self.bits()) * u128::from(bound.unsigned_abs().max(1));
        i64::try_from(wide >> 64).unwrap_or(0)
    }

    /// One of a list.
    pub(super) fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        let length = i64::try_from(list.len()).unwrap_or(1);
        list[usize::try_from(self.below(length)).unwrap_or(0)]
    }

    /// A made-up secret of letters: no digits, so that it can never contain somebody's number.
    pub(super) fn letters(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(b'a' + u8::try_from(self.below(26)).unwrap_or(0))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_equal_sequences_within_bounds() {
        let (mut one, mut other) = (Sequence::new(7), Sequence::new(7));
        for _ in 0..1000 {
            let number = one.below(10);
            assert_eq!(number, other.below(10));
            assert!((0..10).contains(&number));
        }
        assert_ne!(Sequence::new(1).bits(), Sequence::new(2).bits());
    }
}
