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
}

/// A supervisory authority (Art. 51).
#[derive(Debug, Clone)]
pub struct SupervisoryAuthority {
    /// Its name.
    pub name: String,
    /// Its web address.
    pub url: Option<String>,
}

const KEYS: &[&str] = &["name", "address", "contact", "dpo", "supervisory_authority", "time_zone", "country"];

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
    let name = section.required_text("name", HINT)?;
    Some(Controller { name, address, contact, dpo, supervisory_authority, time_zone: time_zone?, country })
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
