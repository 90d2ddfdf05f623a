//! Reads what feeds the record of processing activities: Fideslang's `system:` objects with their privacy declarations, `data_subject:` and
//! `data_use:` of the map's own, and the `habeas:` keys `transfers` and `security`. Keys that only matter to Fides are passed over.

use super::reader::{Keys, Object, Reader};
use super::tree::Node;
use super::{Declaration, Record, Role, System, Transfer, suggest_legal_basis};

const SYSTEM: Keys = Keys {
    known: &[
        "fides_key",
        "organization_fides_key",
        "tags",
        "name",
        "description",
        "meta",
        "fidesctl_meta",
        "registry_id",
        "system_type",
        "egress",
        "ingress",
        "privacy_declarations",
        "administrating_department",
        "vendor_id",
        "previous_vendor_id",
        "vendor_deleted_date",
        "dataset_references",
        "processes_personal_data",
        "exempt_from_privacy_regulations",
        "reason_for_exemption",
        "uses_profiling",
        "legal_basis_for_profiling",
        "does_international_transfers",
        "legal_basis_for_transfers",
        "requires_data_protection_assessments",
        "dpa_location",
        "dpa_progress",
        "privacy_policy",
        "legal_name",
        "legal_address",
        "responsibility",
        "data_responsibility_title",
        "dpo",
        "joint_controller_info",
        "joint_controller",
        "data_protection_impact_assessment",
        "third_country_transfers",
        "data_security_practices",
        "cookie_max_age_seconds",
        "uses_cookies",
        "cookie_refresh",
        "uses_non_cookie_access",
        "legitimate_interest_disclosure_url",
        "cookies",
    ],
    elsewhere: &[("privacy_declarations", DECLARATION.known)],
};
const DECLARATION: Keys = Keys {
    known: &[
        "name",
        "data_categories",
        "data_use",
        "data_qualifier",
        "data_subjects",
        "dataset_references",
        "egress",
        "ingress",
        "features",
        "flexible_legal_basis_for_processing",
        "legal_basis_for_processing",
        "impact_assessment_location",
        "retention_period",
        "processes_special_category_data",
        "special_category_legal_basis",
        "data_shared_with_third_parties",
        "third_parties",
        "shared_categories",
        "cookies",
    ],
    elsewhere: &[],
};
const TRANSFER: Keys = Keys { known: &["to", "recipient", "safeguard"], elsewhere: &[] };
const OWN_WORD: Keys = Keys {
    known: &[
        "fides_key",
        "parent_key",
        "name",
        "description",
        "organization_fides_key",
        "tags",
        "is_default",
        "active",
        "version_added",
        "version_deprecated",
        "replaced_by",
        "rights",
        "automated_decisions_or_profiling",
        "legal_basis",
        "special_category",
        "recipients",
        "legitimate_interest",
        "legitimate_interest_impact_assessment",
    ],
    elsewhere: &[],
};

/// Fideslang's words for the bases of Art. 9(2); those of Art. 6 are found by what people write.
const SPECIAL: [(&str, &str); 10] = [
    ("Explicit consent", "art9_2_a"),
    ("Employment, social security and social protection", "art9_2_b"),
    ("Vital interests", "art9_2_c"),
    ("Not-for-profit bodies", "art9_2_d"),
    ("Made public by the data subject", "art9_2_e"),
    ("Legal claims or judicial acts", "art9_2_f"),
    ("Reasons of substantial public interest (with a basis in law)", "art9_2_g"),
    ("Health or social care (with a basis in law)", "art9_2_h"),
    ("Public health (with a basis in law)", "art9_2_i"),
    ("Archiving, research and statistics (with a basis in law)", "art9_2_j"),
];

impl Reader {
    /// A Fideslang system.
    pub(super) fn system(&mut self, node: &Node) -> Option<System> {
        let what = self.called("system", node, &["fides_key"]);
        let object = self.object(node, &what, &SYSTEM)?;
        let fides_key = self.required_fides_key(object, "fides_key");
        let role = self.responsibility(object);
        let declarations = self.list(object, "privacy_declarations").iter().filter_map(|node| self.declaration(node)).collect();
        Some(System {
            name: self.text(object, "name"),
            role,
            datasets: self.texts(object, "dataset_references"),
            transfers: self.flag(object, "does_international_transfers"),
            safeguards: self.texts(object, "legal_basis_for_transfers"),
            countries: self.texts(object, "third_country_transfers"),
            security: self.text(object, "data_security_practices"),
            declarations,
            place: self.place(object.line),
            fides_key: fides_key?,
        })
    }

    /// Where Fides names several roles, being processor counts, because that is the one that is easily forgotten.
    fn responsibility(&mut self, object: Object<'_>) -> Role {
        let words = self.texts(object, "responsibility");
        if words.iter().any(|word| word.contains("Processor")) { Role::Processor } else { Role::Controller }
    }

    fn declaration(&mut self, node: &Node) -> Option<Declaration> {
        let what = self.called("privacy declaration", node, &["name"]);
        let object = self.object(node, &what, &DECLARATION)?;
        let mut legal_bases = Vec::new();
        if let Some(basis) = self.text(object, "legal_basis_for_processing") {
            legal_bases.push(suggest_legal_basis(&basis).map_or(basis, str::to_owned));
        }
        if let Some(basis) = self.text(object, "special_category_legal_basis") {
            let code = SPECIAL.iter().find(|(words, _)| *words == basis).map(|(_, code)| (*code).to_owned());
            legal_bases.push(code.unwrap_or(basis));
        }
        let shares = self.flag(object, "data_shared_with_third_parties");
        Some(Declaration {
            name: self.text(object, "name"),
            data_use: self.mentioned_use(object, "data_use"),
            data_categories: self.categories(object),
            data_subjects: self.mentioned_subjects(object),
            datasets: self.texts(object, "dataset_references"),
            legal_bases,
            retention: self.text(object, "retention_period"),
            third_parties: self.text(object, "third_parties").filter(|_| shares),
            place: self.place(object.line),
        })
    }

    /// `data_subjects` and `data_uses` of Fideslang, `transfers` and `security` of ours.
    pub(super) fn record(&mut self, object: Object<'_>, habeas: Option<Object<'_>>) -> Record {
        let mut record = Record {
            data_subjects: self.mentioned_subjects(object),
            data_uses: self.mentioned_uses(object, "data_uses"),
            ..Record::default()
        };
        if let Some(habeas) = habeas {
            let stated = habeas.get("transfers").is_some();
            let transfers = self.list(habeas, "transfers").iter().filter_map(|node| self.transfer(node)).collect();
            record.transfers = stated.then_some(transfers);
            record.security = self.texts(habeas, "security");
        }
        record
    }

    fn transfer(&mut self, node: &Node) -> Option<Transfer> {
        let object = self.object(node, "an entry of `transfers`", &TRANSFER)?;
        let to = self.required_text(object, "to");
        let (recipient, safeguard) = (self.text(object, "recipient"), self.text(object, "safeguard"));
        Some(Transfer { to: to?, recipient, safeguard, place: self.place(object.line) })
    }

    fn mentioned_subjects(&mut self, object: Object<'_>) -> Vec<String> {
        let keys = self.texts_with_lines(object, "data_subjects");
        for (key, line) in &keys {
            let place = self.place(*line);
            self.mentioned_subjects.push((key.clone(), place));
        }
        keys.into_iter().map(|(key, _)| key).collect()
    }

    fn mentioned_uses(&mut self, object: Object<'_>, name: &str) -> Vec<String> {
        let keys = self.texts_with_lines(object, name);
        for (key, line) in &keys {
            let place = self.place(*line);
            self.mentioned_uses.push((key.clone(), place));
        }
        keys.into_iter().map(|(key, _)| key).collect()
    }

    fn mentioned_use(&mut self, object: Object<'_>, name: &str) -> Option<String> {
        let key = self.text(object, name)?;
        let place = self.place(object.line_of(name));
        self.mentioned_uses.push((key.clone(), place));
        Some(key)
    }

    /// A data subject or a use that the map adds: its key and its name.
    pub(super) fn own_word(&mut self, node: &Node, kind: &str) -> Option<(String, String)> {
        let what = self.called(kind, node, &["fides_key"]);
        let object = self.object(node, &what, &OWN_WORD)?;
        let key = self.required_fides_key(object, "fides_key")?;
        let name = self.text(object, "name").unwrap_or_else(|| key.clone());
        Some((key, name))
    }
}
