//! Who answers the requests: the controller (Art. 4(7)) as it names itself in archives, letters and certificates, with the time zone
//! in which its legal deadlines are counted (D-1).

use jiff::tz::TimeZone;

use super::section::Section;

/// The controller.
#[derive(Debug, Clone)]
pub struct Controller {
    /// Its name.
    pub name: String,
    /// Its postal address.
    pub address: Option<String>,
    /// Where a data subject reaches it.
    pub contact: Option<String>,
    /// Its data protection officer.
    pub dpo: Option<String>,
    /// The authority with which a complaint can be lodged (Art. 15(1)(f)).
    pub supervisory_authority: Option<SupervisoryAuthority>,
    /// Deadlines are counted in this zone; UTC when the file names none.
    pub time_zone: TimeZone,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: Option<String>,
    /// Its representative in the Union (Art. 27), when it has none of its own establishments there.
    pub representative: Option<String>,
    /// Controllers that decide with it (Art. 26).
    pub joint_controllers: Vec<String>,
    /// Technical and organisational measures that hold everywhere (Art. 32(1)).
    pub security_measures: Vec<String>,
    /// Who stands behind the recipients that the data map names.
    pub recipients: Vec<Recipient>,
    /// Line of `controller` in the file.
    pub line: u64,
}

/// A recipient or a category of recipients, by the name that the data map uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The name.
    pub name: String,
    /// Who that is.
    pub who: Option<String>,
    /// Where it is: ISO 3166-1 alpha-2, or `EEA`.
    pub country: Option<String>,
    /// What protects a transfer to a country outside the EEA.
    pub safeguard: Option<String>,
    /// Line in the file.
    pub line: u64,
}

/// A supervisory authority (Art. 51).
#[derive(Debug, Clone)]
pub struct SupervisoryAuthority {
    /// Its name.
    pub name: String,
    /// Its web address.
    pub url: Option<String>,
}

const KEYS: &[&str] = &[
    "name",
    "address",
    "contact",
    "dpo",
    "supervisory_authority",
    "time_zone",
    "country",
    "representative",
    "joint_controllers",
    "security_measures",
    "recipients",
];

pub(super) fn read(root: &Section<'_, '_>) -> Option<Controller> {
    const HINT: &str = "name the company that answers the requests: `controller: {name: Acme Ltd}`";
    if root.node("controller").is_none() {
        root.reader.note(root.position(), "`controller` is missing", Some(HINT.into()));
        return None;
    }
    let section = root.section("controller", KEYS)?;
    let text = |key: &str| section.text(key).map(|entry| entry.value);
    let (address, contact, dpo) = (text("address"), text("contact"), text("dpo"));
    let supervisory_authority = read_authority(&section);
    let time_zone = read_time_zone(&section);
    let country = read_country(&section);
    let representative = text("representative");
    let texts = |key: &str| match section.node(key) {
        None => Some(Vec::new()),
        Some(_) => section.texts(key).map(|entries| entries.into_iter().map(|entry| entry.value).collect::<Vec<_>>()),
    };
    let (joint_controllers, security_measures) = (texts("joint_controllers"), texts("security_measures"));
    let recipients = read_recipients(&section);
    let line = section.position().line;
    let name = section.required_text("name", HINT)?;
    Some(Controller {
        name,
        address,
        contact,
        dpo,
        supervisory_authority,
        time_zone: time_zone?,
        country,
        representative,
        joint_controllers: joint_controllers?,
        security_measures: security_measures?,
        recipients: recipients?,
        line,
    })
}

fn read_recipients(controller: &Section<'_, '_>) -> Option<Vec<Recipient>> {
    let Some(node) = controller.node("recipients") else { return Some(Vec::new()) };
    let named = Section::open_any(controller.reader, &controller.name_of("recipients"), node)?;
    let mut recipients = Vec::new();
    for (key, node) in named.entries() {
        let section = Section::open(controller.reader, &named.name_of(&key.name), node, &["who", "country", "safeguard"])?;
        let text = |key: &str| section.text(key).map(|entry| entry.value);
        let country = match section.node("country") {
            Some(_) if text("country").as_deref() == Some("EEA") => Some("EEA".to_owned()),
            _ => read_country(&section),
        };
        let (who, safeguard) = (text("who"), text("safeguard"));
        recipients.push(Recipient { name: key.name.clone(), who, country, safeguard, line: key.position.line });
    }
    Some(recipients)
}

fn read_authority(controller: &Section<'_, '_>) -> Option<SupervisoryAuthority> {
    let section = controller.section("supervisory_authority", &["name", "url"])?;
    let url = section.text("url").map(|entry| entry.value);
    Some(SupervisoryAuthority { name: section.required_text("name", "name the authority, or leave the whole key out")?, url })
}

fn read_time_zone(controller: &Section<'_, '_>) -> Option<TimeZone> {
    if controller.node("time_zone").is_none() {
        return Some(TimeZone::UTC);
    }
    let entry = controller.text("time_zone")?;
    match TimeZone::get(&entry.value) {
        Ok(zone) => Some(zone),
        Err(_) => {
            let message = format!("`{}` is not in this machine's time zone database", entry.name);
            let hint = "write an IANA name such as Europe/Vienna; if it is one, install the package `tzdata`";
            controller.reader.note(entry.position, message, Some(hint.into()));
            None
        }
    }
}

fn read_country(controller: &Section<'_, '_>) -> Option<String> {
    let entry = controller.text("country")?;
    if entry.value.len() == 2 && entry.value.bytes().all(|b| b.is_ascii_uppercase()) {
        return Some(entry.value);
    }
    controller.reader.note(entry.position, format!("`{}` must be a two-letter country code such as AT", entry.name), None);
    None
}
