//! What a request asks for: everything, or some categories; and for portability only what Art. 20 covers.

use crate::datamap::{Collection, Field, Provided, RuleAction, category_matches};
use crate::deployment::Deployment;
use crate::ledger::request::Request;
use crate::request::{JobFile, Kind};

/// What goes into an archive.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Categories asked for; empty means all.
    categories: Vec<String>,
    /// Only what is portable.
    portability: bool,
}

impl Selection {
    /// The selection of a request: its job's categories, else the targets of its policy's access rules, else everything.
    pub fn of(deployment: &Deployment, request: &Request, job: &JobFile) -> Selection {
        let mut categories = job.categories.clone();
        if categories.is_empty()
            && let Some(policy) = job.policy.as_deref().and_then(|policy| deployment.map.policy(policy))
        {
            let access = policy.rules.iter().filter(|rule| rule.action == RuleAction::Access);
            categories = access.flat_map(|rule| rule.targets.clone()).collect();
        }
        Selection { categories, portability: request.kind == Kind::Portability }
    }

    /// Whether a field is asked for, or something inside it. A label of the whole collection selects whole rows.
    pub fn takes(&self, collection: &Collection, field: &Field) -> bool {
        self.takes_whole(collection, field) || self.matches_below(field)
    }

    /// Whether a field is asked for as a whole: by everything, by a label of the collection, or by its own.
    pub fn takes_whole(&self, collection: &Collection, field: &Field) -> bool {
        self.is_everything() || self.matches(&collection.data_categories) || self.matches(&field.data_categories)
    }

    /// Whether one of these labels falls under a category that was asked for.
    pub fn matches(&self, labels: &[String]) -> bool {
        labels.iter().any(|label| self.categories.iter().any(|target| category_matches(target, label)))
    }

    /// Whether a label inside a field falls under a category that was asked for.
    pub fn matches_below(&self, field: &Field) -> bool {
        field.fields.iter().any(|sub| self.matches(&sub.data_categories) || self.matches_below(sub))
    }

    /// Whether everything was asked for.
    pub fn is_everything(&self) -> bool {
        self.categories.is_empty()
    }

    /// Art. 20(1): provided by the subject or observed of them, and processed under consent or contract. What the map does not record is
    /// carried: the doubt is the subject's.
    pub fn is_portable(&self, collection: &Collection) -> bool {
        if !self.portability {
            return true;
        }
        let provided = collection.provided.is_none_or(|origin| matches!(origin, Provided::BySubject | Provided::Observed));
        let basis = collection
            .legal_basis
            .as_deref()
            .is_none_or(|basis| basis.split(',').any(|one| matches!(one.trim(), "art6_1_a" | "art6_1_b" | "art9_2_a")));
        provided && basis
    }
}
