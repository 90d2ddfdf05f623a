//! Rows of a row group as alternating stretches that are kept and skipped.

/// A stretch of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    Keep(usize),
    Skip(usize),
}

/// All `rows` without the ones at these places, which ascend.
pub(super) fn without(rows: usize, places: &[usize]) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut at = 0;
    for place in places {
        push(&mut runs, Run::Keep(place - at));
        push(&mut runs, Run::Skip(1));
        at = place + 1;
    }
    push(&mut runs, Run::Keep(rows - at));
    runs
}

/// Of all `rows` only the ones at these places, which ascend.
pub(super) fn only(rows: usize, places: &[usize]) -> Vec<Run> {
    let turned = |run| match run {
        Run::Keep(rows) => Run::Skip(rows),
        Run::Skip(rows) => Run::Keep(rows),
    };
    without(rows, places).into_iter().map(turned).collect()
}

fn push(runs: &mut Vec<Run>, run: Run) {
    match (runs.last_mut(), run) {
        (_, Run::Keep(0) | Run::Skip(0)) => {}
        (Some(Run::Keep(rows)), Run::Keep(more)) | (Some(Run::Skip(rows)), Run::Skip(more)) => *rows += more,
        _ => runs.push(run),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_cover_every_row_once() {
        assert_eq!(without(5, &[]), [Run::Keep(5)]);
        assert_eq!(without(5, &[0, 1, 4]), [Run::Skip(2), Run::Keep(2), Run::Skip(1)]);
        assert_eq!(only(5, &[2]), [Run::Skip(2), Run::Keep(1), Run::Skip(2)]);
        assert_eq!(without(2, &[0, 1]), [Run::Skip(2)]);
        assert_eq!(without(0, &[]), []);
    }
}
