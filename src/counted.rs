//! Counts as people read them: `1 record`, `2 records`, `1,234 records`. One rule for the terminal, archives and certificates, so that none
//! of them says "1 records". What programs read is never written with it.

/// A count with its noun, in the form that fits.
pub fn counted(count: impl TryInto<u64>, one: &str, many: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

/// A number with commas between groups of three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_easily() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn the_noun_follows_the_count() {
        let records = |count: u64| counted(count, "record", "records");
        assert_eq!([0, 1, 2, 1_000].map(records), ["0 records", "1 record", "2 records", "1,000 records"]);
        assert_eq!(counted(1_usize, "row refers", "rows refer"), "1 row refers");
    }
}
