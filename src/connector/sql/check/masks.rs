//! Masks against the columns that they would overwrite. A mask of the map itself that cannot work is an error; one that a policy
//! would apply is a warning that names the policy, because only jobs with that policy are concerned.

use super::mask_fit::{Misfit, misfit};
use super::{Live, Mapped};
use crate::connector::sql::Table;
use crate::datamap::{Field, Finding, Masking, OnErasure, Policy, RuleAction, Severity, category_matches};

pub(super) fn check(live: &Live<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (mapped, table) in live.reached() {
        if mapped.effect() == Some(OnErasure::Mask) {
            for field in overwritable(mapped) {
                findings.extend(field.mask.as_ref().and_then(|mask| finding(live, mapped, table, field, mask, None)));
            }
        }
        if !mapped.collection.delete_override {
            for policy in &live.map.policies {
                findings.extend(policy_masks(live, mapped, table, policy));
            }
        }
    }
    findings
}

fn overwritable<'m>(mapped: &'m Mapped<'_>) -> impl Iterator<Item = &'m Field> {
    mapped.collection.fields.iter().filter(|field| !field.read_only)
}

/// The fields whose label falls under a rule of the policy; a field's own mask beats the rule's.
fn policy_masks(live: &Live<'_>, mapped: &Mapped<'_>, table: &Table, policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in &policy.rules {
        let RuleAction::Erasure(masking) = &rule.action else {
            continue;
        };
        let is_target = |field: &&Field| {
            field.data_categories.iter().any(|label| rule.targets.iter().any(|target| category_matches(target, label)))
        };
        for field in overwritable(mapped).filter(is_target) {
            let mask = field.mask.as_ref().unwrap_or(masking);
            findings.extend(finding(live, mapped, table, field, mask, Some(policy)));
        }
    }
    findings
}

fn finding(
    live: &Live<'_>,
    mapped: &Mapped<'_>,
    table: &Table,
    field: &Field,
    mask: &Masking,
    policy: Option<&Policy>,
) -> Option<Finding> {
    let column = table.column(&field.name)?;
    let Misfit { severity, code, problem, why, hint } = misfit(live.catalogue.dialect, table, column, mask, field.length)?;
    let subject = mapped.field_name(&field.name);
    let Some(policy) = policy else {
        let hint = format!("{hint} (`fides_meta.masking_strategy_override`)");
        return Some(Finding {
            severity,
            code,
            place: Some(field.place.clone()),
            subject,
            problem,
            why: why.into(),
            hint,
            write: None,
        });
    };
    Some(Finding {
        severity: Severity::Warning,
        code,
        write: None,
        place: Some(field.place.clone()),
        subject,
        problem: format!("policy `{}`: {problem}", policy.fides_key),
        why: format!("{why}; a plan with this policy is refused before anything is touched"),
        hint: format!("on this field, as `fides_meta: {{masking_strategy_override: {{strategy: ..}}}}`: {hint}"),
    })
}

#[cfg(test)]
mod tests {
    use crate::connector::sql::check::testing::{about, check_postgres, check_sqlite};
    use crate::datamap::Severity::{Error, Warning};

    fn map(strategy: &str, policy: &str) -> String {
        let fields = ["id", "email", "nick", "born", "initial", "team_id", "tier", "bio"];
        let field = |name: &&str| {
            let identity = if *name == "email" { "identity: email, " } else { "" };
            format!("          - {{name: {name}, data_categories: [user.name], fides_meta: {{{identity}{strategy}}}}}\n")
        };
        let fields: String = fields.iter().map(field).collect();
        format!(
            "dataset:\n  - fides_key: app\n    collections:\n      - name: users\n        habeas: {{on_erasure: mask}}\n        fields:\n{fields}{policy}"
        )
    }

    const SQLITE: &str = "CREATE TABLE teams (id INTEGER PRIMARY KEY);
        CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, nick VARCHAR(5), born DATE,
            initial TEXT GENERATED ALWAYS AS (substr(email, 1, 1)), team_id INTEGER REFERENCES teams, tier TEXT, bio TEXT);
        CREATE UNIQUE INDEX by_tier ON users (tier, born)";

    #[tokio::test]
    async fn null_does_not_go_into_keys_and_not_null() {
        let findings = check_sqlite(&map("masking_strategy_override: {strategy: null_rewrite}", ""), SQLITE).await;
        assert_eq!(about(&findings, Error, "mask_not_null"), ["app.users.email"]);
        assert_eq!(about(&findings, Error, "mask_key_column"), ["app.users.id"]);
        assert_eq!(about(&findings, Error, "mask_generated_column"), ["app.users.initial"]);
        assert_eq!(about(&findings, Error, "mask_type"), Vec::<&str>::new());
    }

    #[tokio::test]
    async fn a_constant_does_not_go_into_unique_columns_other_types_and_foreign_keys() {
        let strategy = "masking_strategy_override: {strategy: string_rewrite, configuration: {rewrite_value: MASKED}}";
        let findings = check_sqlite(&map(strategy, ""), SQLITE).await;
        assert_eq!(about(&findings, Error, "mask_unique_column"), ["app.users.email"]);
        assert_eq!(about(&findings, Warning, "mask_unique_column"), ["app.users.tier"]);
        assert_eq!(about(&findings, Error, "mask_type"), ["app.users.born"]);
        assert_eq!(about(&findings, Error, "mask_key_column"), ["app.users.id", "app.users.team_id"]);
        assert_eq!(about(&findings, Warning, "mask_too_long"), ["app.users.nick"]);
    }

    #[tokio::test]
    async fn preserve_and_masks_that_fit_are_fine() {
        let findings = check_sqlite(&map("masking_strategy_override: {strategy: preserve}", ""), SQLITE).await;
        assert!(findings.iter().all(|finding| !finding.code.as_str().starts_with("mask_")), "{findings:#?}");
    }

    #[tokio::test]
    async fn a_policy_is_named_in_a_warning() {
        let policy = "policy:\n  - fides_key: forget\n    rules:\n      - name: r\n        action_type: erasure\n        targets: [{data_category: user.name}]\n        masking_strategy: {strategy: null_rewrite}\n";
        let findings = check_sqlite(&map("masking_strategy_override: {strategy: preserve}", policy), SQLITE).await;
        assert!(findings.iter().all(|finding| finding.code != "mask_not_null"), "the field's own mask beats the policy's");
        let findings = check_sqlite(&map("", policy), SQLITE).await;
        assert_eq!(about(&findings, Warning, "mask_not_null"), ["app.users.email"]);
        assert_eq!(about(&findings, Error, "mask_not_null"), Vec::<&str>::new());
        assert!(findings.iter().any(|finding| finding.problem.starts_with("policy `forget`")));
    }

    #[tokio::test]
    async fn an_enum_may_refuse_a_mask() {
        let schema = "CREATE TYPE tier AS ENUM ('a'); CREATE TABLE users (id int PRIMARY KEY, email text, nick varchar(40), born text, initial text,
            team_id text, tier tier, bio text)";
        let strategy = "masking_strategy_override: {strategy: string_rewrite, configuration: {rewrite_value: MASKED}}";
        let Some(findings) = check_postgres(&map(strategy, ""), schema).await else { return };
        assert_eq!(about(&findings, Warning, "mask_type"), ["app.users.tier"]);
    }
}
