//! The closed list of findings: one word each, which tools, `accept` in a map and `docs/map-check.md` name. A word stays what it is once it
//! has been released. A new kind of finding begins with a line here and a section in the documentation.

use std::fmt;

use serde::{Serialize, Serializer};

/// Declares the codes with their words, so that no code can be without a word and [`Code::ALL`] can miss none.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal,)+) => {
        /// What kind of finding it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Code] = &[$(Code::$name,)+];

            /// The word in messages, JSON and `accept`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $word,)+ }
            }
        }
    };
}

codes! {
    /// The text of the map is wrong.
    MapInvalid = "map_invalid",
    /// Something in the map has no effect.
    PassedOver = "passed_over",
    /// A legal basis that is no code of Art. 6 or 9.
    UnknownLegalBasis = "unknown_legal_basis",
    /// `accept` names a finding that is not there.
    AcceptUnused = "accept_unused",
    /// `accept` names an error, and errors cannot be accepted.
    AcceptRefused = "accept_refused",
    /// Nobody has said what erasure does here.
    UndecidedCollection = "undecided_collection",
    /// An identity inside JSON beside another, or a second column of its kind, and nobody has said whether they name the same person.
    NamesUndecided = "names_undecided",
    /// No identity reaches it.
    UnreachableCollection = "unreachable_collection",
    /// `mask` without a field that says how.
    MaskWithoutFields = "mask_without_fields",
    /// A mask that is pseudonymisation.
    PseudonymisedField = "pseudonymised_field",
    /// Rows taken for a person's without a word.
    OwnedByDefault = "owned_by_default",
    /// A way over several link tables that makes a row many people's.
    OwnershipMultiplies = "ownership_multiplies",
    /// The person's id stays in rows that they only access.
    ReferenceLeftBehind = "reference_left_behind",
    /// A person sees the record of another.
    AnotherPersonShown = "another_person_shown",
    /// `hide` names no field of the reached collection.
    UnknownHiddenField = "unknown_hidden_field",
    /// `unlink` on a field that leads away.
    UnlinkAtTheWrongEnd = "unlink_at_the_wrong_end",
    /// Collections that can be erased in no order.
    DeleteOrderImpossible = "delete_order_impossible",
    /// A column that the map does not mention.
    UnmappedColumn = "unmapped_column",
    /// A source that cannot be reached.
    SourceUnreachable = "source_unreachable",
    /// A source that takes no writes.
    SourceNotWritable = "source_not_writable",
    /// A source that is another system than before.
    SourceChanged = "source_changed",
    /// A collection without a table.
    MissingTable = "missing_table",
    /// A name that the table does not have.
    MissingColumn = "missing_column",
    /// Another primary key than the map says.
    PrimaryKeyDiffers = "primary_key_differs",
    /// Another type than the map says.
    DataTypeDiffers = "data_type_differs",
    /// Rows that cannot be named one by one.
    NoPrimaryKey = "no_primary_key",
    /// Erasure of a view's rows.
    ViewErased = "view_erased",
    /// A table that the map does not mention.
    UnmappedTable = "unmapped_table",
    /// Objects that no template of the map can name.
    UnnamedObjects = "unnamed_objects",
    /// Objects with rows of many people that may be one person's as well.
    OverlappingObjects = "overlapping_objects",
    /// Rights that the role lacks.
    MissingRights = "missing_rights",
    /// Row security applies to the role.
    RowSecurity = "row_security",
    /// The verifying role cannot see what is erased.
    VerifierBlind = "verifier_blind",
    /// Triggers or rules that run on changes.
    Triggers = "triggers",
    /// A trigger or rule that lets nothing through.
    SwallowedByTrigger = "swallowed_by_trigger",
    /// A trigger that reaches rows which no plan lists.
    TriggerReachesFurther = "trigger_reaches_further",
    /// A table in which nothing is erased for good.
    NotErasableForGood = "not_erasable_for_good",
    /// Rows of other tables that show up in this one.
    InheritedRows = "inherited_rows",
    /// A column that others refer to would be overwritten.
    ChangesReferencedColumn = "changes_referenced_column",
    /// A reference that points nowhere.
    BrokenForeignKey = "broken_foreign_key",
    /// A foreign key to people without an edge.
    UnlabelledForeignKey = "unlabelled_foreign_key",
    /// Parts of one key that the map reads each by itself.
    CompositeKeyHalfDeclared = "composite_key_half_declared",
    /// A row that cannot be deleted while others point to it.
    DeleteBlocked = "delete_blocked",
    /// The database would change rows by itself.
    CascadeOutsidePlan = "cascade_outside_plan",
    /// Every column that gives a row its owner may be NULL.
    OwnerMayBeNull = "owner_may_be_null",
    /// A mask on a column that the database computes.
    MaskGeneratedColumn = "mask_generated_column",
    /// A mask on a key.
    MaskKeyColumn = "mask_key_column",
    /// NULL into NOT NULL.
    MaskNotNull = "mask_not_null",
    /// A mask that the type cannot take.
    MaskType = "mask_type",
    /// A mask on an object and on a part of it.
    MaskedTwice = "masked_twice",
    /// Sub-fields of a column that holds no JSON.
    SubFieldsNotJson = "sub_fields_not_json",
    /// An identity or reference inside JSON that cannot be followed there.
    InsideNotFollowed = "inside_not_followed",
    /// A constant into a unique column.
    MaskUniqueColumn = "mask_unique_column",
    /// A mask that is longer than the column.
    MaskTooLong = "mask_too_long",
    /// A policy's category that no field has.
    PolicyTargetUnused = "policy_target_unused",
    /// A field under two rules of one policy.
    PolicyRulesMeet = "policy_rules_meet",
    /// Unlinking a key.
    UnlinkKeyColumn = "unlink_key_column",
    /// Unlinking a column that the database computes.
    UnlinkGeneratedColumn = "unlink_generated_column",
    /// Unlinking a column that admits no NULL.
    UnlinkNotNull = "unlink_not_null",
    /// A reference between columns of different types.
    EdgeTypes = "edge_types",
    /// A condition that the types do not allow.
    ConditionType = "condition_type",
    /// `until` from something that is no date.
    UntilType = "until_type",
    /// A lookup without an index.
    MissingIndex = "missing_index",
    /// A name that looks personal where no request reaches.
    PersonalLookingName = "personal_looking_name",
    /// A name that looks personal in rows that nobody owns.
    PersonalButUnowned = "personal_but_unowned",
    /// A view that keeps copies.
    MaterialisedView = "materialised_view",
}

impl Code {
    /// The code of a word.
    pub fn from_word(word: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.as_str() == word)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl PartialEq<str> for Code {
    fn eq(&self, word: &str) -> bool {
        self.as_str() == word
    }
}

impl PartialEq<&str> for Code {
    fn eq(&self, word: &&str) -> bool {
        self.as_str() == *word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_section_in_the_documentation_and_every_section_a_code() {
        let page = include_str!("../../../docs/map-check.md");
        let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`')).collect();
        let (mut documented, mut known) = (sections.clone(), Code::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>());
        documented.sort_unstable();
        known.sort_unstable();
        assert_eq!(documented, known);
        for section in sections {
            let text = page.split(&format!("### `{section}`\n")).nth(1).unwrap();
            assert!(text.starts_with("Error") || text.starts_with("Warning"), "{section} does not say how much it matters");
        }
    }

    #[test]
    fn every_word_stands_for_one_code() {
        for code in Code::ALL {
            assert_eq!(Code::from_word(code.as_str()), Some(*code));
        }
        assert_eq!(Code::from_word("no_such_finding"), None);
    }
}
