//! A store, a leader and clients whose steps come in any order.

use proptest::prelude::*;

use super::*;

const CAPACITY: usize = 3;
const PAGE: usize = 2;

fn change(seq: u64, tenant: u8, conversation: u8) -> Rc<Change> {
    Rc::new(Change {
        seq,
        tenant: tenant.to_string(),
        conversation: (conversation > 0).then(|| conversation.to_string()),
        frame: String::new(),
    })
}

fn filter(tenant: u8, conversation: u8) -> Filter {
    let some = |value: u8| (value > 0).then(|| value.to_string());
    Filter {
        tenant: some(tenant),
        conversation: some(conversation),
    }
}

/// A page that was read and not delivered yet.
struct Page {
    gap: Gap,
    changes: Vec<Rc<Change>>,
}

struct Client {
    id: Id,
    filter: Filter,
    start: u64,
    got: Vec<u64>,
    page: Option<Page>,
    left: bool,
}

struct World {
    store: Vec<Rc<Change>>,
    fanout: Fanout,
    connecting: Vec<(Filter, u64, u64)>,
    clients: Vec<Client>,
    polled: Vec<(Id, Vec<Rc<Change>>)>,
}

/// One step; numbers pick by remainder.
#[derive(Debug, Clone)]
enum Step {
    Commit {
        skip: u8,
        tenant: u8,
        conversation: u8,
    },
    Connect {
        back: Option<u8>,
        tenant: u8,
        conversation: u8,
    },
    Join,
    Client(u8),
    ReadForAll,
    Publish(u8),
    Leave(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..3u8, 1..3u8, 0..3u8).prop_map(|(skip, tenant, conversation)| Step::Commit { skip, tenant, conversation }),
        2 => (proptest::option::of(0..12u8), 0..3u8, 0..3u8)
            .prop_map(|(back, tenant, conversation)| Step::Connect { back, tenant, conversation }),
        2 => Just(Step::Join),
        8 => any::<u8>().prop_map(Step::Client),
        4 => Just(Step::ReadForAll),
        4 => any::<u8>().prop_map(Step::Publish),
        1 => any::<u8>().prop_map(Step::Leave),
    ];
    proptest::collection::vec(step, 0..160)
}

impl World {
    fn new() -> Self {
        World {
            store: Vec::new(),
            fanout: Fanout::new(CAPACITY),
            connecting: Vec::new(),
            clients: Vec::new(),
            polled: Vec::new(),
        }
    }

    fn last(&self) -> u64 {
        self.store.last().map_or(0, |change| change.seq)
    }

    /// What the store answers: a page of one tenant, or of all.
    fn list(&self, tenant: Option<&String>, after: u64) -> Vec<Rc<Change>> {
        let wanted =
            |change: &&Rc<Change>| change.seq > after && tenant.is_none_or(|t| *t == change.tenant);
        self.store
            .iter()
            .filter(wanted)
            .take(PAGE)
            .cloned()
            .collect()
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Commit {
                skip,
                tenant,
                conversation,
            } => {
                self.store.push(change(
                    self.last() + 1 + u64::from(skip),
                    tenant,
                    conversation,
                ));
            }
            Step::Connect {
                back,
                tenant,
                conversation,
            } => {
                let now = self.last();
                // Sometimes an id that is ahead of the store.
                let after = back.map_or(now, |back| (now + 2).saturating_sub(u64::from(back)));
                self.connecting
                    .push((filter(tenant, conversation), after, now));
            }
            Step::Join => {
                if let Some((filter, after, now)) = self.connecting.pop() {
                    let id = self.fanout.join(filter.clone(), after, now);
                    let start = after.min(now);
                    self.clients.push(Client {
                        id,
                        filter,
                        start,
                        got: Vec::new(),
                        page: None,
                        left: false,
                    });
                }
            }
            Step::Client(which) => {
                if !self.clients.is_empty() {
                    self.client(usize::from(which) % self.clients.len());
                }
            }
            Step::ReadForAll => {
                let leader = self
                    .clients
                    .iter()
                    .find_map(|client| Some(client.id).zip(self.fanout.leads(client.id)));
                if let Some((leader, after)) = leader {
                    self.polled.push((leader, self.list(None, after)));
                }
            }
            Step::Publish(which) => {
                if !self.polled.is_empty() {
                    let (leader, batch) =
                        self.polled.remove(usize::from(which) % self.polled.len());
                    let _ = self.fanout.publish(leader, &batch);
                }
            }
            Step::Leave(which) => {
                if !self.clients.is_empty() {
                    let which = usize::from(which) % self.clients.len();
                    self.clients[which].left = true;
                    let _ = self.fanout.leave(self.clients[which].id);
                }
            }
        }
    }

    /// One step of a client; false when it has nothing to do.
    fn client(&mut self, which: usize) -> bool {
        let client = &mut self.clients[which];
        if let Some(Page { gap, changes }) = client.page.take() {
            if !client.left {
                client.got.extend(
                    changes
                        .iter()
                        .filter(|c| client.filter.takes(c))
                        .map(|c| c.seq),
                );
            }
            self.fanout.caught_up(
                client.id,
                gap,
                changes.last().map(|c| c.seq),
                changes.len() == PAGE,
            );
            return true;
        }
        match self.fanout.next(client.id) {
            Next::Send(changes) => client.got.extend(changes.iter().map(|c| c.seq)),
            Next::Read(gap) => {
                let tenant = client.filter.tenant.clone();
                let changes = self.list(tenant.as_ref(), gap.after);
                self.clients[which].page = Some(Page { gap, changes });
            }
            Next::Wait | Next::End => return false,
        }
        true
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let live = self.clients.iter().filter(|client| !client.left).count();
        prop_assert_eq!(self.fanout.streams.len(), live);
        prop_assert_eq!(self.fanout.leader.is_some(), live > 0);
        prop_assert!(
            self.fanout
                .leader
                .is_none_or(|leader| self.fanout.has(leader))
        );
        for stream in self.fanout.streams.values() {
            prop_assert!(stream.queue.len() <= CAPACITY);
        }
        for client in &self.clients {
            prop_assert!(
                self.wanted(client).starts_with(&client.got),
                "{:?}",
                client.got
            );
        }
        Ok(())
    }

    fn wanted(&self, client: &Client) -> Vec<u64> {
        let wanted =
            |change: &&Rc<Change>| change.seq > client.start && client.filter.takes(change);
        self.store
            .iter()
            .filter(wanted)
            .map(|change| change.seq)
            .collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn every_stream_gets_each_change_once_and_in_order(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
            world.check()?;
        }
        // From here on nothing is committed: a few rounds must bring everyone to the end.
        let mut rounds = 0;
        while {
            let mut busy = false;
            for which in 0..world.clients.len() {
                busy |= world.client(which);
            }
            world.step(Step::ReadForAll);
            busy |= world.polled.iter().any(|(_, batch)| !batch.is_empty());
            while !world.polled.is_empty() {
                world.step(Step::Publish(0));
            }
            busy
        } {
            rounds += 1;
            prop_assert!(rounds < 1000, "never comes to rest");
        }
        for client in world.clients.iter().filter(|client| !client.left) {
            prop_assert_eq!(&client.got, &world.wanted(client));
        }
    }
}

#[test]
fn a_waiting_stream_is_woken_by_what_it_wants_and_by_nothing_else() {
    let mut fanout = Fanout::new(CAPACITY);
    let leader = fanout.join(Filter::default(), 0, 0);
    let id = fanout.join(filter(1, 0), 0, 0);
    assert_eq!(fanout.next(id), Next::Wait);
    assert_eq!(fanout.publish(leader, &[change(1, 2, 0)]), []);
    assert_eq!(fanout.publish(leader, &[change(2, 1, 0)]), [id]);
    assert_eq!(
        fanout.publish(leader, &[change(3, 1, 0)]),
        [],
        "it is awake already"
    );
    assert_eq!(
        fanout.next(id),
        Next::Send(vec![change(2, 1, 0), change(3, 1, 0)])
    );
    assert_eq!(fanout.next(id), Next::Wait);
    let batch: Vec<_> = (4..20).map(|seq| change(seq, 1, 0)).collect();
    assert_eq!(
        fanout.publish(leader, &batch),
        [id],
        "also when its queue overflows"
    );
}

#[test]
fn another_stream_leads_when_the_leader_leaves_and_a_late_batch_is_refused() {
    let mut fanout = Fanout::new(CAPACITY);
    let first = fanout.join(Filter::default(), 5, 5);
    let second = fanout.join(Filter::default(), 5, 5);
    assert_eq!(fanout.next(second), Next::Wait);
    assert_eq!((fanout.leads(first), fanout.leads(second)), (Some(5), None));
    assert_eq!(fanout.leave(first), Some(second));
    assert_eq!(fanout.publish(first, &[change(6, 1, 0)]), []);
    assert_eq!(
        fanout.leads(second),
        Some(5),
        "the late batch did not move the head"
    );
    assert_eq!(fanout.leave(second), None);
    assert!(!fanout.has(second));
    assert_eq!(fanout.next(second), Next::End);
}

#[test]
fn a_full_queue_makes_its_stream_catch_up_from_what_it_took_last() {
    let mut fanout = Fanout::new(CAPACITY);
    let id = fanout.join(Filter::default(), 0, 0);
    assert_eq!(fanout.next(id), Next::Wait);
    fanout.publish(id, &[change(1, 1, 0)]);
    assert_eq!(fanout.next(id), Next::Send(vec![change(1, 1, 0)]));
    let batch: Vec<_> = (2..=5).map(|seq| change(seq, 1, 0)).collect();
    fanout.publish(id, &batch);
    let Next::Read(gap) = fanout.next(id) else {
        panic!("did not fall back")
    };
    assert_eq!(gap.after, 1);
    fanout.caught_up(id, gap, Some(5), false);
    assert_eq!(fanout.next(id), Next::Wait);
}

#[test]
fn other_tenants_changes_do_not_keep_a_stream_from_joining() {
    let mut fanout = Fanout::new(CAPACITY);
    let leader = fanout.join(Filter::default(), 9, 9);
    let id = fanout.join(filter(1, 0), 3, 9);
    let Next::Read(gap) = fanout.next(id) else {
        panic!("has joined too early")
    };
    fanout.caught_up(id, gap, None, false);
    assert_eq!(fanout.next(id), Next::Wait);
    fanout.publish(leader, &[change(10, 1, 0)]);
    assert_eq!(fanout.next(id), Next::Send(vec![change(10, 1, 0)]));
}
