//! Values of columns for schemas of tests: people who do not exist, numbers as applications store them.

use super::dice::Dice;

const FIRST: [&str; 24] = [
    "Ada", "Grace", "Linus", "Edsger", "Barbara", "Donald", "Radia", "Alan", "Hedy", "Tim", "Joan", "Ken", "Margaret", "Niklaus",
    "Sophie", "Dennis", "Frances", "Tony", "Karen", "John", "Shafi", "Leslie", "Evelyn", "Butler",
];
const LAST: [&str; 24] = [
    "Berger", "Novak", "Silva", "Okafor", "Tanaka", "Kowalski", "Hansen", "Moreau", "Rossi", "Ivanova", "Haddad", "Larsen", "Nagy",
    "Costa", "Weber", "Popescu", "Virtanen", "Keller", "Duarte", "Horvat", "Janssen", "Olsen", "Petrov", "Yilmaz",
];
const CITIES: [&str; 8] = ["Vienna", "Graz", "Lisbon", "Lyon", "Turin", "Gent", "Aarhus", "Porto"];
const WORDS: [&str; 16] = [
    "river", "stone", "quiet", "paper", "market", "window", "garden", "copper", "signal", "harbour", "lantern", "meadow", "engine",
    "orchard", "winter", "saddle",
];

/// A number below `count`, small ones more often.
pub fn skewed(dice: &mut Dice, count: u64) -> u64 {
    let (one, other) = (dice.below(count), dice.below(count));
    one * other / count
}

/// The value of a row.
pub fn value(words: &[String], row: usize, rows: usize, dice: &mut Dice) -> Option<String> {
    let number = |at: usize| words[at].parse::<i64>().expect("a number");
    let one = |dice: &mut Dice, list: &[&str]| list[dice.below(list.len() as u64) as usize].to_owned();
    let person = row * 7 % rows.max(1);
    Some(match words[0].as_str() {
        "serial" => serial(words, row).to_string(),
        "pick" => pick(&words[1..], dice),
        "int" => (number(1) + dice.below((number(2) - number(1) + 1).unsigned_abs()) as i64).to_string(),
        "count" => skewed(dice, number(1).unsigned_abs()).to_string(),
        "unix" => (1_500_000_000 + dice.below(260_000_000)).to_string(),
        "money" => format!("{}.{:02}", dice.below(400), dice.below(100)),
        "bool" => i64::from((dice.below(100) as i64) < number(1)).to_string(),
        "first" => one(dice, &FIRST),
        "last" => one(dice, &LAST),
        "name" => format!("{} {}", one(dice, &FIRST), one(dice, &LAST)),
        "username" => format!("{}{person}", one(dice, &WORDS)),
        "email" => format!("{}.{person}@example.org", one(dice, &LAST).to_lowercase()),
        "phone" => format!("+43 660 {:07}", dice.below(10_000_000)),
        "city" => one(dice, &CITIES),
        "street" => format!("{} Street {}", one(dice, &WORDS), 1 + dice.below(90)),
        "zip" => (1000 + dice.below(8999)).to_string(),
        "ip" => format!("192.0.2.{}", dice.below(255)),
        "agent" => format!("Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0", 90 + dice.below(40)),
        "text" => (0..number(1)).map(|_| one(dice, &WORDS)).collect::<Vec<_>>().join(" "),
        "label" => format!("{}_{row}", one(dice, &WORDS)),
        "hash" => hex(dice, 8),
        "random" => format!("{}{row:04x}", hex(dice, 7)),
        "iso" => ["de", "en", "fr", "pt"][row % 4].to_owned(),
        "url" => format!("https://example.org/{}/{}", one(dice, &WORDS), dice.below(900)),
        "day" => format!("20{:02}-{:02}-{:02}", 15 + dice.below(11), 1 + dice.below(12), 1 + dice.below(28)),
        "blank" => String::new(),
        other => panic!("no way to make `{other}`"),
    })
}

fn hex(dice: &mut Dice, length: usize) -> String {
    let digits = format!("{:016x}", dice.below(u64::MAX));
    digits[16 - length..].to_owned()
}

/// Numbers that go up, some left out.
fn serial(words: &[String], row: usize) -> u64 {
    let gap = words.iter().position(|word| word == "gap").map_or(0, |at| words[at + 1].parse::<u64>().expect("percent"));
    1 + row as u64 + row as u64 * gap / 100
}

fn pick(choices: &[String], dice: &mut Dice) -> String {
    let choices: Vec<(&str, u64)> = choices
        .iter()
        .map(|choice| choice.rsplit_once(':').expect("value:weight"))
        .map(|(value, weight)| (value, weight.parse().expect("a weight")))
        .collect();
    let mut left = dice.below(choices.iter().map(|(_, weight)| weight).sum());
    for (value, weight) in choices {
        if left < weight {
            return value.to_owned();
        }
        left -= weight;
    }
    String::new()
}
