//! What was counted while an object was rewritten. [`Rewritten`] is the only way to get the new object out of this module, and it is made
//! only if before − erased = after, where `after` is counted in what was written, not in what was meant to be written (E-1).

use super::RowsError;
use super::claims::Verdict;

/// Rows of one object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows read.
    pub before: u64,
    /// Rows that are one subject's alone, by the subject's number: erased, or found.
    pub erased: Vec<u64>,
    /// Rows that name a subject and somebody else as well, by the subject's number. They stay (O-1).
    pub shared: Vec<u64>,
    /// Rows without an identifier in any of the fields. They stay; if all rows are so, the fields are probably the wrong ones.
    pub unnamed: u64,
    /// Rows counted in the new object.
    pub after: u64,
}

impl Tally {
    pub(super) fn of(subjects: usize) -> Tally {
        Tally { erased: vec![0; subjects], shared: vec![0; subjects], ..Tally::default() }
    }

    /// Rows erased of all subjects.
    pub fn erased_in_all(&self) -> u64 {
        self.erased.iter().sum()
    }

    /// Counts one row that was read. Says whether it is one subject's alone.
    pub(super) fn count(&mut self, verdict: Verdict<'_>) -> bool {
        self.before += 1;
        match verdict {
            Verdict::Unnamed => self.unnamed += 1,
            Verdict::Others => {}
            Verdict::Of(subject) => {
                self.erased[subject] += 1;
                return true;
            }
            Verdict::Shared(subjects) => subjects.iter().for_each(|subject| self.shared[*subject] += 1),
        }
        false
    }

    fn check(&self) -> Result<(), RowsError> {
        let erased = self.erased_in_all();
        if self.before.checked_sub(erased) == Some(self.after) {
            return Ok(());
        }
        Err(RowsError::Miscounted { before: self.before, erased, after: self.after })
    }
}

/// A new object whose rows add up.
#[derive(Debug)]
pub struct Rewritten<W> {
    output: W,
    tally: Tally,
}

impl<W> Rewritten<W> {
    /// The one constructor.
    pub(super) fn new(output: W, tally: Tally) -> Result<Rewritten<W>, RowsError> {
        tally.check()?;
        Ok(Rewritten { output, tally })
    }

    /// What was counted.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The output, completely written, and what was counted.
    pub fn into_parts(self) -> (W, Tally) {
        (self.output, self.tally)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_1_rows_that_do_not_add_up_are_no_new_object() {
        let tally = |before, erased: &[u64], after| Tally { before, erased: erased.to_vec(), after, ..Tally::default() };
        assert!(Rewritten::new((), tally(10, &[2, 1], 7)).is_ok());
        for wrong in [tally(10, &[2, 1], 8), tally(10, &[2, 1], 6), tally(2, &[2, 1], 0), tally(0, &[0], 1)] {
            assert!(matches!(Rewritten::new((), wrong), Err(RowsError::Miscounted { .. })));
        }
    }
}
