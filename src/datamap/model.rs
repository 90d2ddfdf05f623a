//! The data map as the rest of the program sees it: datasets, collections and fields in Fideslang's words, plus the `habeas:` keys,
//! already checked. `fideslang.rs` reads it from YAML, `graph.rs` makes edges of it. No I/O here.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use super::{Acceptance, Predicate, Record, System, Taxonomy, Vocabulary};
use crate::plan::Ground;
use crate::subject::NormalForm;

/// Where in the map something stands, for messages: `datamap/app.yml:17`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// File, as given.
    pub file: Arc<PathBuf>,
    /// Line, from 1; 0 when not known.
    pub line: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(formatter, "{}", self.file.display()),
            line => write!(formatter, "{}:{line}", self.file.display()),
        }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Place", 2)?;
        object.serialize_field("file", &self.file.display().to_string())?;
        object.serialize_field("line", &self.line)?;
        object.end()
    }
}

/// Everything that the files of a map say.
#[derive(Debug, Clone)]
pub struct DataMap {
    /// Datasets, sorted by key.
    pub datasets: Vec<Dataset>,
    /// Policies (Fideslang `policy:` objects), sorted by key.
    pub policies: Vec<Policy>,
    /// Fideslang `system:` objects, sorted by key.
    pub systems: Vec<System>,
    /// Data categories that labels and targets may name: Fideslang's own and those that the map adds.
    pub taxonomy: Taxonomy,
    /// Categories of data subjects, Fideslang's and the map's own.
    pub data_subjects: Vocabulary,
    /// Uses of data, Fideslang's and the map's own.
    pub data_uses: Vocabulary,
    /// Names of data categories that the map adds.
    pub category_names: BTreeMap<String, String>,
    /// `sha256:` over the exact bytes of all files in the order of their names.
    pub digest: String,
}

/// Whether the company decides over the data itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The company is the controller (Art. 4(7)).
    #[default]
    Controller,
    /// It is the processor of somebody else (Art. 4(8)).
    Processor,
}

/// A set of collections in one system.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Its key, used in references and results.
    pub fides_key: String,
    /// Human name.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Database schema from `fides_meta.namespace.schema`, when given.
    pub schema: Option<String>,
    /// `habeas.source`: which configured source serves it; the key itself when absent.
    pub source: Option<String>,
    /// `habeas.role`.
    pub role: Role,
    /// Collections, sorted by name.
    pub collections: Vec<Collection>,
    /// What the record of processing activities asks for, for every collection that does not say otherwise.
    pub record: Record,
    /// `habeas.on_behalf_of`: the controllers for whom the company processes this (role processor).
    pub on_behalf_of: Vec<String>,
    /// `retention`, an older Fideslang key: how long, in words.
    pub retention: Option<String>,
    /// `habeas.accept`: findings about tables that the map does not describe.
    pub accept: Vec<Acceptance>,
    /// Where it stands.
    pub place: Place,
}

/// What erasure does to the rows of a collection that the subject alone owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnErasure {
    /// Delete the row.
    Delete,
    /// Overwrite the fields that say how (`masking_strategy_override`), keep the row.
    Mask,
    /// Clear the columns that lead to the subject, keep the row.
    Unlink,
    /// Leave it, on the ground `policy`.
    Keep,
}

/// Whom the identity fields of a row name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Names {
    /// The person whose record the row is: an identifier names one row only, and all in it are theirs.
    Account,
    /// One person, who may have many such rows; all identifiers in a row are theirs.
    OnePerson,
    /// Possibly several: each value that is not the subject's is somebody else's.
    Several,
}

/// Where the data came from (Art. 20 covers the first two; WP242).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provided {
    /// Typed in or uploaded by the subject.
    BySubject,
    /// Observed of the subject.
    Observed,
    /// Inferred or derived by the controller.
    Inferred,
    /// Given by somebody else.
    ByOtherUser,
}

/// Why a field is left out of an archive though it is the subject's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withhold {
    /// Password hashes, tokens.
    Credential,
    /// Another person's data (Art. 15(4)).
    ThirdParty,
    /// Trade secrets (recital 63).
    TradeSecret,
}

/// A statutory duty to keep some rows: `{where: …, ground: …, law: …, until: …}`.
#[derive(Debug, Clone, PartialEq)]
pub struct RetainWhen {
    /// Which rows.
    pub r#where: Predicate,
    /// On which ground; `art17_3_b` or `art17_3_e`.
    pub ground: Ground,
    /// The law, in words for people.
    pub law: Option<String>,
    /// Column and period after which the duty ends: `issued_on + P7Y`.
    pub until: Option<Until>,
}

/// `column + ISO 8601 period`. The duty ends when the sum has passed; a NULL in the column means that it has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Until {
    /// A date or timestamp column.
    pub column: String,
    /// Whole years.
    pub years: u32,
    /// Whole months.
    pub months: u32,
    /// Whole days.
    pub days: u32,
}

/// How long data is kept without a request. Documentation and the retention sweep read it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    /// ISO 8601 period.
    pub delete_after: Option<String>,
    /// Column or event from which it counts.
    pub counted_from: Option<String>,
    /// Deletion class (ISO/IEC 27555).
    pub class: Option<String>,
}

/// A table, or any other list of records of one shape.
#[derive(Debug, Clone)]
pub struct Collection {
    /// Name of the table.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// Fideslang labels of the whole collection.
    pub data_categories: Vec<String>,
    /// Fields in the order of their names.
    pub fields: Vec<Field>,
    /// `fides_meta.skip_processing`: not part of the graph.
    pub skip_processing: bool,
    /// `fides_meta.erase_after`, as `dataset.collection`.
    pub erase_after: Vec<String>,
    /// `fides_meta.masking_strategy_override: {strategy: delete}`.
    pub delete_override: bool,
    /// `habeas.on_erasure`.
    pub on_erasure: Option<OnErasure>,
    /// `habeas.names`.
    pub names: Option<Names>,
    /// `habeas.on_erasure: undecided`: somebody knows that it is still to be decided. It decides no more than saying nothing does (P-1).
    pub knowingly_undecided: bool,
    /// `habeas.purpose`.
    pub purpose: Option<String>,
    /// `habeas.legal_basis`, such as `art6_1_b`.
    pub legal_basis: Option<String>,
    /// `habeas.provided`.
    pub provided: Option<Provided>,
    /// `habeas.recipients`.
    pub recipients: Vec<String>,
    /// `habeas.retention`.
    pub retention: Option<Retention>,
    /// What the record of processing activities asks for.
    pub record: Record,
    /// `habeas.retain_when`.
    pub retain_when: Vec<RetainWhen>,
    /// `habeas.controlled_by`, as `collection.field` of the same dataset: who must instruct before rows are disclosed or erased (role processor).
    pub controlled_by: Option<String>,
    /// `habeas.held_by`: data that the company cannot reach, such as `the subject's own device`. The collection is then documentation only.
    pub held_by: Option<String>,
    /// `habeas.note`.
    pub note: Option<String>,
    /// `habeas.accept`.
    pub accept: Vec<Acceptance>,
    /// `habeas.triggers`: triggers that reach further than a plan and that may run, because somebody has looked at what they do.
    pub triggers: Vec<String>,
    /// Where it stands.
    pub place: Place,
}

/// A column.
#[derive(Debug, Clone, Default)]
pub struct Field {
    /// Name of the column.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// Fideslang labels.
    pub data_categories: Vec<String>,
    /// Sub-fields of an object column (JSON), dotted by nesting.
    pub fields: Vec<Field>,
    /// `fides_meta.identity`.
    pub identity: Option<String>,
    /// `fides_meta.references`.
    pub references: Vec<Reference>,
    /// `fides_meta.primary_key`.
    pub primary_key: bool,
    /// `fides_meta.data_type`.
    pub data_type: Option<String>,
    /// `fides_meta.length`.
    pub length: Option<usize>,
    /// `fides_meta.read_only`.
    pub read_only: bool,
    /// `fides_meta.masking_strategy_override`.
    pub mask: Option<Masking>,
    /// `habeas.normal_form` of an identity field.
    pub normal_form: NormalForm,
    /// `habeas.unique`: no two rows have the same value, though no key of the database says so.
    pub unique: bool,
    /// `habeas.withhold`.
    pub withhold: Option<Withhold>,
    /// `habeas.accept`.
    pub accept: Vec<Acceptance>,
    /// Where it stands.
    pub place: Place,
}

impl Field {
    /// Whether the map overwrites it or a part of it.
    pub fn is_overwritten(&self) -> bool {
        let own = self.mask.as_ref().is_some_and(|mask| *mask != Masking::Preserve);
        !self.read_only && (own || self.fields.iter().any(Field::is_overwritten))
    }
}

/// What reaching a row over an edge gives the subject (after K9db).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Nothing: the edge is not followed.
    None,
    /// The subject sees the row; it is never deleted for them.
    Accesses,
    /// The row is the subject's.
    #[default]
    Owns,
}

/// Which way data flows over a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the referenced field to this one.
    From,
    /// From this field to the referenced one.
    To,
    /// Whichever side is reached first.
    Either,
}

/// What the map says about an edge, beyond its columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EdgeWords {
    /// `habeas.right`.
    pub right: Option<Right>,
    /// `habeas.hide`: fields of the reached collection left out of an archive when the subject only accesses the row.
    pub hide: Vec<String>,
    /// `habeas.on_erasure: unlink`.
    pub unlink: bool,
    /// `habeas.edge`: fields of one collection with the same name form one composite edge; a field may be part of several.
    pub edges: Vec<String>,
    /// `habeas.where`: only rows of the reached collection for which this holds are reached.
    pub r#where: Option<Predicate>,
}

/// A join to another collection.
#[derive(Debug, Clone)]
pub struct Reference {
    /// Dataset key of the other end.
    pub dataset: String,
    /// Collection of the other end.
    pub collection: String,
    /// Field of the other end (dotted for sub-fields).
    pub field: String,
    /// Which way.
    pub direction: Direction,
    /// What the map says about it: of the field's references in common, or of this one.
    pub words: EdgeWords,
    /// Where it stands.
    pub place: Place,
}

/// A masking strategy with its parameters.
#[derive(Debug, Clone, PartialEq)]
pub enum Masking {
    /// NULL.
    NullRewrite,
    /// A constant, then the suffix if there is one. Replaces NULL as well.
    StringRewrite {
        /// The constant.
        rewrite_value: String,
        /// Appended (`format_preservation.suffix`).
        suffix: Option<String>,
    },
    /// Random lower-case letters and digits.
    RandomStringRewrite {
        /// How many.
        length: usize,
        /// Appended.
        suffix: Option<String>,
    },
    /// Hex of a salted hash: pseudonymisation, never called erasure. NULL stays NULL.
    Hash {
        /// SHA-256 or SHA-512.
        algorithm: HashAlgorithm,
        /// Appended.
        suffix: Option<String>,
    },
    /// Hex of an HMAC: pseudonymisation. NULL stays NULL.
    Hmac {
        /// SHA-256 or SHA-512.
        algorithm: HashAlgorithm,
        /// Appended.
        suffix: Option<String>,
    },
    /// Left as it is.
    Preserve,
}

/// Hash of `hash` and `hmac`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Masking {
    /// Fideslang's name of the strategy.
    pub fn name(&self) -> &'static str {
        match self {
            Masking::NullRewrite => "null_rewrite",
            Masking::StringRewrite { .. } => "string_rewrite",
            Masking::RandomStringRewrite { .. } => "random_string_rewrite",
            Masking::Hash { .. } => "hash",
            Masking::Hmac { .. } => "hmac",
            Masking::Preserve => "preserve",
        }
    }

    /// Whether what is written can be tied to the person again with a kept key or by guessing (Art. 4(5)): not an erasure.
    pub fn is_pseudonymisation(&self) -> bool {
        matches!(self, Masking::Hash { .. } | Masking::Hmac { .. })
    }
}

/// A Fideslang policy: rules that apply to the fields whose label matches.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Its key, named by a job's `policy`.
    pub fides_key: String,
    /// Human name.
    pub name: Option<String>,
    /// Rules.
    pub rules: Vec<Rule>,
    /// Where it stands.
    pub place: Place,
}

/// One rule of a policy.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Human name.
    pub name: Option<String>,
    /// Access rules select what is exported, erasure rules what is masked.
    pub action: RuleAction,
    /// Data categories; each matches itself and what is below it at a dot.
    pub targets: Vec<String>,
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleAction {
    /// Select for export.
    Access,
    /// Mask.
    Erasure(Masking),
}

/// Whether a label falls under a target: equal, or below it at a dot (`user.device.cookie` does not match `user.device.cookie_id`).
pub fn category_matches(target: &str, label: &str) -> bool {
    label.strip_prefix(target).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

impl Default for DataMap {
    fn default() -> Self {
        DataMap {
            datasets: Vec::new(),
            policies: Vec::new(),
            systems: Vec::new(),
            taxonomy: Taxonomy::default(),
            data_subjects: Vocabulary::data_subjects(),
            data_uses: Vocabulary::data_uses(),
            category_names: BTreeMap::new(),
            digest: String::new(),
        }
    }
}

impl DataMap {
    /// A dataset by key.
    pub fn dataset(&self, key: &str) -> Option<&Dataset> {
        self.datasets.iter().find(|dataset| dataset.fides_key == key)
    }

    /// A collection by dataset key and name.
    pub fn collection(&self, dataset: &str, collection: &str) -> Option<&Collection> {
        self.dataset(dataset)?.collections.iter().find(|candidate| candidate.name == collection)
    }

    /// A policy by key.
    pub fn policy(&self, key: &str) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.fides_key == key)
    }
}

impl Collection {
    /// A field by name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}
