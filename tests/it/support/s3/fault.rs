//! Misbehaviour that a test orders: at which action, from which call on, how often, and what. What the server does otherwise is in `world::Lies`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::world::World;

/// What a test does to the world in the middle of a request.
pub type Hook = Arc<dyn Fn(&mut World) + Send + Sync>;

/// What goes wrong.
#[derive(Clone)]
pub enum Misbehaviour {
    /// An error instead of the effect: `(503, "SlowDown")`.
    Refuse(u16, &'static str),
    /// The effect, and then an error.
    RefuseAfterEffect(u16, &'static str),
    /// The connection is closed before anything is done.
    CutBefore,
    /// Everything is done, and the connection is closed instead of an answer.
    CutAfter,
    /// So many bytes of the body, then the connection is closed.
    TruncateBody(usize),
    /// Status 200 with an error for a body; without the effect.
    ErrorInside200(&'static str),
    /// The same, although the effect took place.
    ErrorInside200AfterEffect(&'static str),
    /// A page of a listing that says it is the last although there is more.
    CutListing,
    /// Pages of a listing that all name the second page as the next. Needs a listing of three pages.
    RepeatToken(Seen),
    /// The test changes something before the request has its effect.
    Before(Hook),
    /// The test changes something between the effect and the answer, as between a read and the write that follows it.
    After(Hook),
}

/// The tokens that a listing has given.
pub type Seen = Arc<Mutex<BTreeMap<&'static str, String>>>;

struct Order {
    action: String,
    key: Option<String>,
    skip: usize,
    times: usize,
    what: Misbehaviour,
}

/// The orders that are still open.
#[derive(Clone, Default)]
pub struct Script(Arc<Mutex<Vec<Order>>>);

/// An order being made: at the next call, once, unless said otherwise.
pub struct At<'a> {
    script: &'a Script,
    order: Order,
}

impl Script {
    /// An order for an action (`GetObject`).
    pub fn at(&self, action: &str) -> At<'_> {
        let order = Order { action: action.to_owned(), key: None, skip: 0, times: 1, what: Misbehaviour::CutBefore };
        At { script: self, order }
    }

    /// Whether everything ordered has happened: a fault that never came proves nothing.
    pub fn is_done(&self) -> bool {
        self.0.lock().expect("the script").is_empty()
    }

    /// What goes wrong with this call.
    pub(super) fn next(&self, action: &str, key: &str) -> Vec<Misbehaviour> {
        let mut orders = self.0.lock().expect("the script");
        let mut now = Vec::new();
        for order in
            orders.iter_mut().filter(|order| order.action == action && order.key.as_deref().is_none_or(|wanted| wanted == key))
        {
            if order.skip > 0 {
                order.skip -= 1;
            } else if order.times > 0 {
                order.times -= 1;
                now.push(order.what.clone());
            }
        }
        orders.retain(|order| order.times > 0);
        now
    }
}

impl At<'_> {
    /// Only calls for this key.
    pub fn key(mut self, key: &str) -> Self {
        self.order.key = Some(key.to_owned());
        self
    }

    /// So many calls go well first.
    pub fn after(mut self, calls: usize) -> Self {
        self.order.skip = calls;
        self
    }

    /// So many calls go wrong.
    pub fn times(mut self, calls: usize) -> Self {
        self.order.times = calls;
        self
    }

    /// Gives the order.
    pub fn do_this(mut self, what: Misbehaviour) {
        self.order.what = what;
        self.script.0.lock().expect("the script").push(self.order);
    }

    /// `503 SlowDown`.
    pub fn slow_down(self) {
        self.do_this(Misbehaviour::Refuse(503, "SlowDown"));
    }

    /// `403 RequestTimeTooSkewed`.
    pub fn clock_skew(self) {
        self.do_this(Misbehaviour::Refuse(403, "RequestTimeTooSkewed"));
    }
}
