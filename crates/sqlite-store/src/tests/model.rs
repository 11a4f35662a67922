//! Random histories of a few people, checked against a model of what must hold.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Identities; an event names one or two of them.
const IDENTITIES: [&str; 5] = ["a:1", "b:2", "c:3", "d:4", "e:5"];

#[derive(Debug, Clone)]
enum Step {
    Append(usize, usize),
    Lease(u32),
    Commit(usize),
    Retry(usize),
    Bury(usize),
    RunOut,
    Replay(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..IDENTITIES.len(), 0..IDENTITIES.len()).prop_map(|(a, b)| Step::Append(a, b)),
        3 => (1u32..4).prop_map(Step::Lease),
        4 => any::<usize>().prop_map(Step::Commit),
        1 => any::<usize>().prop_map(Step::Retry),
        1 => any::<usize>().prop_map(Step::Bury),
        1 => Just(Step::RunOut),
        1 => any::<usize>().prop_map(Step::Replay),
    ]
}

#[derive(Default)]
struct World {
    /// Identities that are known to be one person have one number.
    person: Vec<usize>,
    /// Identities of every event, by seq.
    events: BTreeMap<u64, Vec<usize>>,
    unfinished: Vec<u64>,
    buried: Vec<u64>,
    running: Vec<Job>,
    /// Events that have ever started, and may be started again before earlier ones whose queue
    /// they met meanwhile.
    started: Vec<u64>,
    committed: Vec<u64>,
}

impl World {
    fn meet(&self, a: u64, b: u64) -> bool {
        let people = |seq: u64| {
            self.events[&seq]
                .iter()
                .map(|&identity| self.person[identity])
        };
        people(a).any(|person| people(b).any(|other| other == person))
    }

    fn link(&mut self, identities: &[usize]) {
        let into = self.person[identities[0]];
        for &identity in identities {
            let from = self.person[identity];
            self.person
                .iter_mut()
                .filter(|person| **person == from)
                .for_each(|person| *person = into);
        }
    }

    fn end(&mut self, seq: u64) {
        self.unfinished.retain(|&other| other != seq);
    }
}

fn check_lease(world: &mut World, jobs: Vec<Job>) -> Result<(), TestCaseError> {
    for job in jobs {
        for &other in &world.unfinished {
            if other != job.seq && world.meet(other, job.seq) {
                let runs = world.running.iter().any(|running| running.seq == other);
                prop_assert!(!runs, "{} runs beside {other}", job.seq);
                prop_assert!(
                    other > job.seq || world.started.contains(&job.seq),
                    "{} before {other}",
                    job.seq
                );
            }
        }
        world.started.push(job.seq);
        world.running.push(job);
    }
    Ok(())
}

fn take(step: &Step, store: &Store, world: &mut World) -> Result<(), TestCaseError> {
    let now = store.now.get();
    match *step {
        Step::Append(a, b) => {
            let seq = world.events.len() as u64 + 1;
            let mut identities = vec![a, b];
            identities.dedup();
            let names: Vec<&str> = identities
                .iter()
                .map(|&identity| IDENTITIES[identity])
                .collect();
            store.append(&[text(&format!("{seq}"), &names)]);
            world.events.insert(seq, identities);
            world.unfinished.push(seq);
        }
        Step::Lease(max) => {
            let jobs = store.lease(max);
            // What was started too often was buried, and its followers may have been leased.
            for job in store.inbox(Some(JobState::Buried)) {
                if !world.buried.contains(&job.seq) {
                    prop_assert_eq!(job.error.as_deref(), Some("poison"));
                    world.buried.push(job.seq);
                    world.end(job.seq);
                }
            }
            check_lease(world, jobs)?;
        }
        Step::RunOut => {
            store.pass(u64::from(LEASE_MS));
            for job in world.running.drain(..) {
                prop_assert_eq!(
                    store.commit(&job.token, &effects(event_of(&job))),
                    Err(Error::Stale)
                );
            }
        }
        Step::Replay(choice) if !world.buried.is_empty() => {
            let seq = world.buried.remove(choice % world.buried.len());
            prop_assert!(
                block_on(replay(&store.connection, store.moment(), "event", seq)).unwrap()
            );
            world.unfinished.push(seq);
            world.started.retain(|&started| started != seq);
        }
        Step::Commit(choice) | Step::Retry(choice) | Step::Bury(choice)
            if !world.running.is_empty() =>
        {
            let job = world.running.remove(choice % world.running.len());
            match step {
                Step::Commit(_) => {
                    store.commit(&job.token, &effects(event_of(&job))).unwrap();
                    let identities = world.events[&job.seq].clone();
                    world.link(&identities);
                    world.committed.push(job.seq);
                    world.end(job.seq);
                }
                Step::Retry(_) => {
                    block_on(retry(
                        &store.connection,
                        store.moment(),
                        &job.token,
                        now,
                        "again",
                    ))
                    .unwrap();
                    world.started.retain(|&started| started != job.seq);
                }
                _ => {
                    block_on(bury(&store.connection, store.moment(), &job.token, "no")).unwrap();
                    world.buried.push(job.seq);
                    world.end(job.seq);
                }
            }
        }
        _ => {}
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn nothing_is_lost_done_twice_or_out_of_order(steps in prop::collection::vec(step(), 1..60)) {
        let store = Store::new();
        let mut world = World { person: (0..IDENTITIES.len()).collect(), ..World::default() };
        for step in &steps {
            take(step, &store, &mut world)?;
        }
        // Everything that is left can be done, whatever happened before.
        take(&Step::RunOut, &store, &mut world)?;
        for _ in 0..2 * world.events.len() {
            take(&Step::Lease(9), &store, &mut world)?;
            while !world.running.is_empty() {
                take(&Step::Commit(0), &store, &mut world)?;
            }
        }
        prop_assert_eq!(&world.unfinished, &Vec::<u64>::new());

        let mut people: Vec<usize> = world.committed.iter().map(|seq| world.person[world.events[seq][0]]).collect();
        people.sort();
        people.dedup();
        let conversations = store.conversations();
        prop_assert_eq!((conversations.len(), store.contacts().len()), (people.len(), people.len()));
        let mut stored = vec![];
        for conversation in &conversations {
            let messages: Vec<u64> = store.messages(&conversation.id).iter().map(|message| message.seq).collect();
            prop_assert!(messages.is_sorted());
            prop_assert_eq!(messages.len() as u64, conversation.message_count);
            prop_assert!(messages.iter().all(|&seq| world.meet(seq, messages[0])));
            stored.extend(messages);
        }
        stored.sort();
        world.committed.sort();
        prop_assert_eq!(stored, world.committed);
        prop_assert_eq!(store.number("SELECT count(*) FROM inbox_keys"), 0);
    }
}
