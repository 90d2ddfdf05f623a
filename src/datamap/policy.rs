//! Reads Fideslang `policy:` objects: named sets of rules, each a list of data categories to export or to mask.
//! Parts that Fides carries for its own running (due dates, storage) are passed over; parts that would change what a rule does and that
//! we do not carry out are refused.

use super::reader::{Keys, Object, Reader};
use super::tree::{Node, Value};
use super::{Policy, Rule, RuleAction};

const POLICY: Keys = Keys {
    known: &[
        "fides_key",
        "key",
        "name",
        "description",
        "organization_fides_key",
        "tags",
        "meta",
        "rules",
        "execution_timeframe",
        "drp_action",
        "conditions",
    ],
    elsewhere: &[],
};
const RULE: Keys = Keys {
    known: &["name", "key", "action_type", "targets", "masking_strategy", "storage_destination", "storage_destination_key"],
    elsewhere: &[],
};
const TARGET: Keys = Keys { known: &["data_category", "name", "key"], elsewhere: &[] };

#[derive(Clone, Copy)]
enum Action {
    Access,
    Erasure,
}

const ACTIONS: [(&str, Action); 2] = [("access", Action::Access), ("erasure", Action::Erasure)];

impl Reader {
    /// One policy.
    pub(super) fn policy(&mut self, node: &Node) -> Option<Policy> {
        let what = self.called("policy", node, &["fides_key", "key"]);
        let object = self.object(node, &what, &POLICY)?;
        let key = if object.get("fides_key").is_none() && object.get("key").is_some() { "key" } else { "fides_key" };
        if object.get("conditions").is_some() {
            let message = format!("`conditions` of {what} are not supported: the rules would apply to everybody");
            self.error(object.line_of("conditions"), message, None);
        }
        let fides_key = self.required_fides_key(object, key);
        let name = self.text(object, "name");
        let rules: Vec<Rule> = self.list(object, "rules").iter().filter_map(|rule| self.rule(rule, &what)).collect();
        if object.get("rules").is_none() {
            self.error(object.line, format!("{what} has no `rules`"), None);
        }
        Some(Policy { fides_key: fides_key?, name, rules, place: self.place(object.line) })
    }

    fn rule(&mut self, node: &Node, policy: &str) -> Option<Rule> {
        let what = format!("a rule of {policy}");
        let object = self.object(node, &what, &RULE)?;
        let name = self.text(object, "name");
        let targets = self.targets(object);
        if targets.is_empty() {
            self.error(object.line, format!("{what} has no `targets`"), Some("name at least one data category".into()));
        }
        if object.get("action_type").is_none() {
            self.error(object.line, format!("{what} has no `action_type`"), Some("write `access` or `erasure`".into()));
            return None;
        }
        let masking_strategy = object.get("masking_strategy");
        let action = match self.word(object, "action_type", &ACTIONS)? {
            Action::Access => {
                if masking_strategy.is_some() {
                    let message = format!("{what} has action `access` and a `masking_strategy`, but access changes nothing");
                    self.error(object.line_of("masking_strategy"), message, Some("did you mean `action_type: erasure`?".into()));
                }
                RuleAction::Access
            }
            Action::Erasure => {
                let Some(strategy) = masking_strategy else {
                    self.error(object.line, format!("{what} has action `erasure` but no `masking_strategy`"), None);
                    return None;
                };
                RuleAction::Erasure(self.masking(strategy)?)
            }
        };
        Some(Rule { name, action, targets })
    }

    /// Targets as plain texts or as maps with `data_category`.
    fn targets(&mut self, rule: Object<'_>) -> Vec<String> {
        let mut targets = Vec::new();
        for item in self.list(rule, "targets") {
            let category = match &item.value {
                Value::Text(category) => Some(category.clone()),
                Value::Map(_) => {
                    self.object(item, "a target", &TARGET).and_then(|target| self.required_text(target, "data_category"))
                }
                other => {
                    self.error(item.line, format!("a target must be a data category, found {}", other.kind()), None);
                    None
                }
            };
            let Some(category) = category else { continue };
            self.mention_category(&category, item.line);
            if targets.contains(&category) {
                self.error(item.line, format!("the target `{category}` is given twice in one rule"), None);
            }
            targets.push(category);
        }
        targets
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::super::{Masking, tree};
    use super::*;

    fn read(text: &str) -> (Option<Policy>, Vec<String>) {
        let mut reader = Reader::new(Arc::new(PathBuf::from("m.yml")), false);
        let policy = reader.policy(&tree::parse(text).unwrap());
        (policy, reader.errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn rules_are_read_with_targets_as_texts_or_maps() {
        let text = "
fides_key: close_account
name: Close an account
execution_timeframe: 45
rules:
  - name: hand over
    action_type: access
    targets: [user]
  - action_type: erasure
    targets: [{data_category: user.name}, user.contact.email]
    masking_strategy: {strategy: null_rewrite, configuration: {}}
";
        let (policy, errors) = read(text);
        let policy = policy.unwrap();
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!((policy.fides_key.as_str(), policy.place.line), ("close_account", 2));
        assert_eq!(policy.rules[0].action, RuleAction::Access);
        assert_eq!(policy.rules[1].action, RuleAction::Erasure(Masking::NullRewrite));
        assert_eq!(policy.rules[1].targets, ["user.name", "user.contact.email"]);
    }

    #[test]
    fn an_erasure_rule_must_say_how() {
        let (_, errors) = read("{fides_key: p, rules: [{action_type: erasure, targets: [user]}]}");
        assert!(errors[0].contains("no `masking_strategy`"), "{errors:?}");
    }

    #[test]
    fn an_access_rule_that_masks_is_a_mistake() {
        let (_, errors) =
            read("{fides_key: p, rules: [{action_type: access, targets: [user], masking_strategy: {strategy: null_rewrite}}]}");
        assert!(errors[0].contains("access changes nothing"), "{errors:?}");
    }

    #[test]
    fn a_rule_without_targets_or_action_is_a_mistake() {
        let (_, errors) = read("{fides_key: p, rules: [{name: x}]}");
        assert_eq!(errors.len(), 2, "{errors:?}");
        let (_, errors) = read("{fides_key: p, rules: [{action_type: consent, targets: [user]}]}");
        assert!(errors[0].contains("known: access, erasure"), "{errors:?}");
    }

    #[test]
    fn conditions_are_refused_rather_than_passed_over() {
        let (_, errors) = read("{fides_key: p, conditions: {field_address: x}, rules: []}");
        assert!(errors[0].contains("not supported"), "{errors:?}");
    }
}
