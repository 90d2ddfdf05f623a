//! Sizes as people write them: a whole number and a unit, `2 GiB` or `500 MB`. Without a unit it is bytes; a unit that could mean two things
//! does not exist here.

const UNITS: [(&str, u64); 7] =
    [("B", 1), ("kB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// Bytes; `None` for what is no size.
pub(super) fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = (text[..end].parse::<u64>().ok()?, text[end..].trim_start());
    let unit = if unit.is_empty() { "B" } else { unit };
    let (_, bytes) = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    number.checked_mul(*bytes)
}

/// A size in the largest binary unit that it is a multiple of.
pub(super) fn in_words(bytes: u64) -> String {
    for (name, unit) in [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if bytes >= unit && bytes.is_multiple_of(unit) {
            return format!("{} {name}", bytes / unit);
        }
    }
    format!("{bytes} B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_and_without_their_unit() {
        let sizes = ["1048576", "2 GiB", "2gib", "500 MB", "1 kB", "0"].map(parse);
        assert_eq!(sizes, [1 << 20, 2 << 30, 2 << 30, 500_000_000, 1000, 0].map(Some));
        for text in ["", "GiB", "2 G", "2.5 GiB", "-1 MiB", "2 GiB each", "99999999999 GiB"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!([1 << 20, 50 << 30, 1000].map(in_words), ["1 MiB", "50 GiB", "1000 B"]);
    }
}
