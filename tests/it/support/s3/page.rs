//! One page of a listing: sorted entries, those that share a prefix up to the delimiter rolled into one, and where the next page begins.

/// What a page is cut from.
pub struct Cut<'a> {
    pub prefix: &'a str,
    pub delimiter: Option<&'a str>,
    /// Where the page before ended; a rolled-up prefix that is this was on it.
    pub marker: Option<&'a str>,
    pub most: usize,
}

/// A page.
pub struct Page<T> {
    pub entries: Vec<T>,
    pub prefixes: Vec<String>,
    pub truncated: bool,
    /// The last thing on it, if the last thing is a prefix.
    pub ends_with_prefix: bool,
}

impl<T> Page<T> {
    pub fn count(&self) -> usize {
        self.entries.len() + self.prefixes.len()
    }
}

/// Cuts a page from entries that come in order and lie behind the marker.
pub fn page<'a, T>(entries: impl Iterator<Item = (&'a str, T)>, cut: &Cut<'_>) -> Page<T> {
    let mut page = Page { entries: Vec::new(), prefixes: Vec::new(), truncated: false, ends_with_prefix: false };
    for (key, entry) in entries {
        let Some(rest) = key.strip_prefix(cut.prefix) else { continue };
        let delimiter = cut.delimiter.filter(|delimiter| !delimiter.is_empty());
        let rolled = delimiter.and_then(|delimiter| rest.find(delimiter).map(|at| at + delimiter.len()));
        let rolled = rolled.map(|length| &key[..cut.prefix.len() + length]);
        if rolled.is_some_and(|prefix| cut.marker == Some(prefix) || page.prefixes.last().is_some_and(|last| last == prefix)) {
            continue;
        }
        if page.count() == cut.most {
            page.truncated = cut.most > 0;
            break;
        }
        page.ends_with_prefix = rolled.is_some();
        match rolled {
            Some(prefix) => page.prefixes.push(prefix.to_owned()),
            None => page.entries.push(entry),
        }
    }
    page
}
