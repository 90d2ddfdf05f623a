//! Who a row belongs to, told from the identifiers in it. A row is erased only if all of them are one subject's (O-1): an identifier of
//! somebody who is not asked about, or of a second subject, makes it shared, and a shared row stays.

/// What the identifiers of one row say.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Claims {
    /// Subjects that the row names, each once. Nearly always none or one.
    named: Vec<usize>,
    /// Whether an identifier is nobody's that is asked about.
    foreign: bool,
}

/// What follows for a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict<'c> {
    /// It has no identifier in any of the fields.
    Unnamed,
    /// Other people's.
    Others,
    /// This subject's alone.
    Of(usize),
    /// These subjects', and somebody else's.
    Shared(&'c [usize]),
}

impl Verdict<'_> {
    /// The subjects whom a row is about, and whether it is somebody else's too; none where it is about no subject.
    pub(super) fn subjects(&self) -> Option<(&[usize], bool)> {
        match self {
            Verdict::Of(subject) => Some((std::slice::from_ref(subject), false)),
            Verdict::Shared(subjects) => Some((subjects, true)),
            Verdict::Unnamed | Verdict::Others => None,
        }
    }
}

impl Claims {
    pub(super) fn clear(&mut self) {
        self.named.clear();
        self.foreign = false;
    }

    /// Takes in one identifier: whose it is, or `None` for somebody who is not asked about.
    pub(super) fn add(&mut self, subject: Option<usize>) {
        match subject {
            Some(subject) if !self.named.contains(&subject) => self.named.push(subject),
            Some(_) => {}
            None => self.foreign = true,
        }
    }

    pub(super) fn verdict(&self) -> Verdict<'_> {
        match (self.named.as_slice(), self.foreign) {
            ([], false) => Verdict::Unnamed,
            ([], true) => Verdict::Others,
            ([only], false) => Verdict::Of(*only),
            (named, _) => Verdict::Shared(named),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o_1_a_row_with_anybody_elses_identifier_is_shared() {
        let of = |subjects: &[Option<usize>]| {
            let mut claims = Claims::default();
            subjects.iter().for_each(|subject| claims.add(*subject));
            format!("{:?}", claims.verdict())
        };
        assert_eq!(of(&[]), "Unnamed");
        assert_eq!(of(&[None]), "Others");
        assert_eq!(of(&[Some(3), Some(3)]), "Of(3)");
        assert_eq!(of(&[Some(3), None]), "Shared([3])");
        assert_eq!(of(&[None, Some(3)]), "Shared([3])");
        assert_eq!(of(&[Some(3), Some(4)]), "Shared([3, 4])");
    }
}
