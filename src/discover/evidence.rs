//! What speaks for and against a reference, and how sure that makes us: names, data, declarations, joins of a query log. The main trap is
//! chance: small numbers that count up are found in nearly every key of small numbers, so that being included proves nothing by itself.

use serde::Serialize;

use super::name_match::NameMatch;

/// From here on, an edge is proposed as one that is followed; below, it is commented out.
pub const ACTIVE: f64 = 0.7;
/// Below, an edge is not worth a comment.
pub const WORTH_MENTION: f64 = 0.3;

/// How the values of a column lie in a key.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Inclusion {
    /// Different values tried, without those that stand for none.
    pub tried: u64,
    /// How many of them the key has.
    pub found: u64,
    /// Share of the values that lie outside the smallest and largest key.
    pub out_of_range: f64,
    /// Share of the key's rows that are referred to, as far as the sample tells.
    pub coverage: f64,
    /// Natural logarithm of the chance that so many values all exist in the key although they have nothing to do with it.
    #[serde(skip)]
    pub ln_chance: f64,
}

impl Inclusion {
    /// Share of the values that exist.
    pub fn share(&self) -> f64 {
        if self.tried == 0 { 0.0 } else { self.found as f64 / self.tried as f64 }
    }

    /// 0 when chance explains it as well, 1 when it cannot.
    pub fn surprise(&self) -> f64 {
        (-self.ln_chance / 12.0).clamp(0.0, 1.0)
    }
}

/// Everything that is known about an edge.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// A foreign key of the database says so.
    pub declared: bool,
    /// What the name says.
    pub name: Option<NameMatch>,
    /// What the values say; absent where there are none to try.
    pub inclusion: Option<Inclusion>,
    /// How often the query log joins the two.
    pub joins: u64,
    /// The column has an index.
    pub indexed: bool,
    /// It holds only 0 and 1 and does not call itself a key: more likely a switch.
    pub looks_like_a_switch: bool,
    /// The best other target, where there is one.
    pub rival: Option<String>,
}

impl Evidence {
    /// How sure, from 0 to 1, in steps of a hundredth.
    pub fn confidence(&self) -> f64 {
        if self.declared {
            return 1.0;
        }
        let named = self.name.map_or(0.0, |name| name.strength);
        let mut sure = match self.inclusion {
            None => named * 0.88,
            Some(seen) => by_data(named, &seen),
        };
        // A name that is hardly one gains nothing from numbers that fit anywhere.
        if self.name.is_some() && named < 0.3 {
            sure = sure.min(0.5);
        }
        if self.looks_like_a_switch {
            sure *= 0.4;
        }
        if self.indexed && sure < ACTIVE {
            sure = (sure * 1.05).min(ACTIVE);
        }
        let contradicted = self.inclusion.is_some_and(|seen| seen.tried >= 5 && seen.share() < 0.3);
        if self.joins > 0 && !contradicted {
            sure += (1.0 - sure) * 0.7;
        }
        (sure.clamp(0.0, 0.99) * 100.0).round() / 100.0
    }
}

fn by_data(named: f64, seen: &Inclusion) -> f64 {
    let share = seen.share();
    match share {
        _ if share >= 0.97 && named > 0.0 => named + (1.0 - named) * (0.2 + 0.7 * seen.surprise()),
        // With as many keys as a schema has, some fit by chance: without a name it takes far more.
        _ if share >= 0.99 => 0.3 + 0.6 * (-seen.ln_chance / 40.0).clamp(0.0, 1.0),
        // Rows that were deleted leave orphans behind.
        _ if share >= 0.85 => named * 0.97,
        _ if share >= 0.6 => named * 0.85,
        _ if share >= 0.3 => named * 0.6,
        _ => named * if seen.tried < 3 { 0.5 } else { 0.25 },
    }
}

#[cfg(test)]
mod tests {
    use super::super::name_match::Reason;
    use super::*;

    fn evidence(strength: Option<f64>, inclusion: Option<Inclusion>) -> Evidence {
        let name = strength.map(|strength| NameMatch { reason: Reason::NamesTheTable, strength });
        Evidence { declared: false, name, inclusion, joins: 0, indexed: false, looks_like_a_switch: false, rival: None }
    }

    fn inclusion(tried: u64, found: u64, ln_chance: f64) -> Option<Inclusion> {
        Some(Inclusion { tried, found, out_of_range: 0.0, coverage: 0.1, ln_chance })
    }

    #[test]
    fn inclusion_that_chance_explains_proposes_nothing() {
        assert!(evidence(None, inclusion(300, 300, -1.0)).confidence() < ACTIVE);
        assert!(evidence(None, inclusion(300, 300, -400.0)).confidence() >= ACTIVE, "values of a UUID do not meet by chance");
    }

    #[test]
    fn a_name_is_overruled_by_values_that_are_not_there() {
        assert!(evidence(Some(0.97), inclusion(100, 3, 0.0)).confidence() < WORTH_MENTION);
        assert!(evidence(Some(0.97), inclusion(100, 90, 0.0)).confidence() >= ACTIVE, "orphans are ordinary");
        assert!(evidence(Some(0.97), None).confidence() >= ACTIVE, "an empty table says nothing against its names");
    }

    #[test]
    fn joins_of_a_log_raise_what_values_do_not_deny() {
        let joined = |inclusion| Evidence { joins: 3, ..evidence(None, inclusion) }.confidence();
        assert!(joined(inclusion(50, 50, 0.0)) >= ACTIVE);
        assert!(joined(inclusion(50, 2, 0.0)) < ACTIVE);
    }
}
