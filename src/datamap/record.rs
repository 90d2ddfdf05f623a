//! What the record of processing activities (Art. 30 GDPR) asks for and no request needs: whose data it is, where it is sent, how it is
//! protected; and Fideslang's `system:` objects, which say the same for maps that come from Fides.

use super::{Place, Role};

/// On a dataset it holds for every collection that does not say otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Categories of data subjects: keys of Fideslang or of the map's own `data_subject:`.
    pub data_subjects: Vec<String>,
    /// Uses: keys of Fideslang or of the map's own `data_use:`.
    pub data_uses: Vec<String>,
    /// Transfers to third countries; `Some` of nothing says that there are none.
    pub transfers: Option<Vec<Transfer>>,
    /// Technical and organisational measures (Art. 32(1)).
    pub security: Vec<String>,
}

/// A transfer to a third country or an international organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Country or organisation.
    pub to: String,
    /// Who receives it there.
    pub recipient: Option<String>,
    /// What protects it: an adequacy decision, standard clauses.
    pub safeguard: Option<String>,
    /// Where it stands.
    pub place: Place,
}

/// A Fideslang system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    /// Its key.
    pub fides_key: String,
    /// Human name.
    pub name: Option<String>,
    /// `responsibility`: of the company for this system.
    pub role: Role,
    /// `dataset_references`.
    pub datasets: Vec<String>,
    /// `does_international_transfers`.
    pub transfers: bool,
    /// `legal_basis_for_transfers`.
    pub safeguards: Vec<String>,
    /// `third_country_transfers`, an older key: countries.
    pub countries: Vec<String>,
    /// `data_security_practices`.
    pub security: Option<String>,
    /// `privacy_declarations`.
    pub declarations: Vec<Declaration>,
    /// Where it stands.
    pub place: Place,
}

/// What a system uses data for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// Human name; the purpose of a collection of the same name is the same activity.
    pub name: Option<String>,
    /// The use.
    pub data_use: Option<String>,
    /// Labels.
    pub data_categories: Vec<String>,
    /// Whose data.
    pub data_subjects: Vec<String>,
    /// `dataset_references`.
    pub datasets: Vec<String>,
    /// `legal_basis_for_processing` and `special_category_legal_basis`, as codes of Art. 6 and 9.
    pub legal_bases: Vec<String>,
    /// `retention_period`, in words.
    pub retention: Option<String>,
    /// `third_parties`, when data is shared with them.
    pub third_parties: Option<String>,
    /// Where it stands.
    pub place: Place,
}
