//! What the rules cost by themselves: choosing a template among 6,400, and folding the facts of an event.

#![expect(clippy::unwrap_used, reason = "a benchmark is a test of the same samples")]

mod templates;

use std::hint::black_box;

use divan::Bencher;
use domain::{
    Attempt, Channel, Context, ContextFault, Decision, Event, EventId, Fact, FactKind, Folded,
    History, LaneKind, Losers, Outcome, RequiredPath, Revision, Situation, TemplateVersion, bind,
};

use templates::{NOW, catalogue};

/// Shows whether anything was allocated.
#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

/// Has every path: looking into `ctx` is measured where it is done.
struct Complete;

impl Context for Complete {
    fn check(&self, _ctx: &[u8], _required: &[RequiredPath]) -> Result<(), ContextFault> {
        Ok(())
    }
}

fn event(kind: usize) -> Event<'static> {
    let text = |text: &'static str| Some(text.into());
    Event {
        id: EventId::new(format!("evt-{kind:012}")).unwrap(),
        event_type: format!("shop.order.{kind}.shipped").into(),
        channel: Some(Channel::EMAIL),
        email: text("ada.lovelace@example.com"),
        mobile_phone: text("+33123456789"),
        registration_token: None,
        mobile_app: None,
        external_id: text("2026-000012345"),
        origin: text("shop"),
        tenant: None,
        language: text("fr"),
        country: None,
        email_format: None,
        occurred_at: Some(NOW),
        scheduled: None,
        expiration: None,
        ctx: b"{}".into(),
    }
}

/// 200 events of as many types, so that the catalogue is not all in the nearest cache.
#[divan::bench]
fn bind_200_events(bencher: Bencher<'_, '_>) {
    let catalogue = catalogue(&[]);
    let events: Vec<_> = (0..200).map(event).collect();
    let situation = Situation {
        lane: LaneKind::Rt,
        history: History::New,
        catalogue: &catalogue,
        context: &Complete,
        now: NOW,
    };
    bencher.counter(divan::counter::ItemsCount::new(events.len())).bench_local(|| {
        for event in &events {
            let decision = bind(black_box(event), &situation);
            if let Decision::Bound(binding) = &decision {
                binding.losers.iter().for_each(|loser| drop(black_box(loser)));
            }
            black_box(decision);
        }
    });
}

fn facts() -> [Fact<'static>; 3] {
    let fact = |after_ms, kind| Fact {
        event_id: EventId::new("evt-000000000001").unwrap(),
        attempt: Attempt::FIRST,
        occurred_at: NOW.plus_millis(after_ms),
        event_type: Some("shop.order.shipped".into()),
        external_id: Some("order-1".into()),
        tenant: None,
        lane: Some(LaneKind::Rt),
        kind,
    };
    let bound = FactKind::Bound {
        template_id: "shop.order.shipped-email-en".into(),
        version: TemplateVersion(3),
        channel: Channel::EMAIL,
        revision: Revision(6_400),
        losers: Losers::default(),
    };
    let sent = FactKind::Delivery {
        outcome: Outcome::Sent,
        reason: None,
        kind: None,
        provider: Some("example".into()),
        provider_message_id: None,
    };
    [fact(0, FactKind::Received), fact(20, bound), fact(300, sent)]
}

/// From nothing known to sent: a new event keeps its texts, which are allocated once.
#[divan::bench(sample_size = 100)]
fn fold_three_facts(bencher: Bencher<'_, '_>) {
    let facts = facts();
    bencher.bench_local(|| {
        let mut folded = Folded::default();
        for fact in black_box(&facts) {
            folded.apply(fact);
        }
        folded
    });
}

/// The same fact once more.
#[divan::bench(sample_size = 100)]
fn fold_a_repeated_fact(bencher: Bencher<'_, '_>) {
    let facts = facts();
    let mut folded = Folded::default();
    for fact in &facts {
        folded.apply(fact);
    }
    bencher.bench_local(|| folded.apply(black_box(&facts[2])));
}
