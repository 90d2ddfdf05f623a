//! Policies and categories against the labels of the map: a target that no field has does nothing, and a field under two rules obeys only
//! one of them. Both are easily overlooked, so both are said.

use super::{Code, Collection, DataMap, Field, Finding, Policy, RuleAction, Severity, category_matches};

/// Findings about all policies of a map.
pub(super) fn findings(map: &DataMap) -> Vec<Finding> {
    let mut findings = Vec::new();
    for policy in &map.policies {
        let targets = policy.rules.iter().flat_map(|rule| &rule.targets);
        for target in unlabelled(map, targets) {
            findings.push(Finding {
                severity: Severity::Warning,
                code: Code::PolicyTargetUnused,
                place: Some(policy.place.clone()),
                subject: format!("policy {}", policy.fides_key),
                problem: format!("no field is labelled `{target}` or below it"),
                why: "the rule does nothing there, and a job with this policy may leave data that it is meant for".into(),
                hint: "label the fields (`data_categories`), or take the target out".into(),
                write: None,
            });
        }
        for (dataset, collection) in searched(map) {
            for field in &collection.fields {
                rules_that_meet(policy, &format!("{dataset}.{}", collection.name), field, &mut findings);
            }
        }
    }
    findings
}

/// Those of these categories under which no field and no collection that is searched has a label.
pub fn unlabelled<'c>(map: &DataMap, categories: impl IntoIterator<Item = &'c String>) -> Vec<&'c str> {
    let has_label = |target: &str| {
        searched(map).any(|(_, collection)| {
            matches(target, &collection.data_categories) || collection.fields.iter().any(|field| is_labelled(target, field))
        })
    };
    categories.into_iter().map(String::as_str).filter(|target| !has_label(target)).collect()
}

fn searched(map: &DataMap) -> impl Iterator<Item = (&str, &Collection)> {
    let all = map.datasets.iter().flat_map(|dataset| dataset.collections.iter().map(|c| (dataset.fides_key.as_str(), c)));
    all.filter(|(_, collection)| !collection.skip_processing && collection.held_by.is_none())
}

fn matches(target: &str, labels: &[String]) -> bool {
    labels.iter().any(|label| category_matches(target, label))
}

fn is_labelled(target: &str, field: &Field) -> bool {
    matches(target, &field.data_categories) || field.fields.iter().any(|sub| is_labelled(target, sub))
}

/// A field may have several labels, and they may fall under rules that would write different things.
fn rules_that_meet(policy: &Policy, place: &str, field: &Field, findings: &mut Vec<Finding>) {
    let name = format!("{place}.{}", field.name);
    let mut strategies = policy.rules.iter().filter_map(|rule| match &rule.action {
        RuleAction::Erasure(masking) if rule.targets.iter().any(|target| matches(target, &field.data_categories)) => Some(masking),
        _ => None,
    });
    if let (Some(first), None) = (strategies.next(), &field.mask)
        && let Some(other) = strategies.find(|other| *other != first)
    {
        findings.push(Finding {
            severity: Severity::Warning,
            code: Code::PolicyRulesMeet,
            place: Some(field.place.clone()),
            subject: name.clone(),
            problem: format!(
                "policy `{}`: its labels fall under two rules, `{}` and `{}`; the first rule counts",
                policy.fides_key,
                first.name(),
                other.name()
            ),
            why: "what the other rule says does not happen here".into(),
            hint: "say which is meant: `fides_meta: {masking_strategy_override: ..}` on the field, or one label less".into(),
            write: None,
        });
    }
    field.fields.iter().for_each(|sub| rules_that_meet(policy, &name, sub, findings));
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::datamap;

    fn map() -> DataMap {
        let text = "
dataset:
  - fides_key: app
    collections:
      - name: users
        fields:
          - {name: email, data_categories: [user.contact.email, user.account.username]}
          - {name: cookie, data_categories: [user.device.cookie_id]}
          - {name: profile, fields: [{name: nick, data_categories: [user.name]}]}
      - name: elsewhere
        fides_meta: {skip_processing: true}
        fields: [{name: x, data_categories: [user.biometric]}]
policy:
  - fides_key: p
    rules:
      - {action_type: erasure, targets: [user.contact, user.device.cookie], masking_strategy: {strategy: null_rewrite}}
      - {action_type: erasure, targets: [user.account], masking_strategy: {strategy: hash}}
      - {action_type: access, targets: [user.name, user.biometric]}
";
        datamap::parse(&[(PathBuf::from("app.yml"), text.to_owned())], false).unwrap_or_else(|errors| panic!("{errors}")).map
    }

    #[test]
    fn a_target_that_no_field_has_is_named() {
        let found = findings(&map());
        let unused: Vec<&str> = found.iter().filter(|f| f.code == Code::PolicyTargetUnused).map(|f| f.problem.as_str()).collect();
        assert_eq!(
            unused,
            ["no field is labelled `user.device.cookie` or below it", "no field is labelled `user.biometric` or below it"],
            "`cookie_id` is another category, and what is not searched has no labels"
        );
    }

    #[test]
    fn a_field_under_two_different_rules_is_named_with_the_one_that_counts() {
        let found = findings(&map());
        let meeting: Vec<&Finding> = found.iter().filter(|f| f.code == Code::PolicyRulesMeet).collect();
        assert_eq!(meeting.len(), 1);
        assert_eq!(meeting[0].subject, "app.users.email");
        assert!(meeting[0].problem.contains("`null_rewrite` and `hash`"), "{}", meeting[0].problem);
    }
}
