//! Breadth first, over states that are reached by a replay of their path.

use std::collections::HashMap;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::action::{Action, Scenario};
use crate::finish::finish;
use crate::identity::identity;
use crate::world::World;

/// One in so many merged states is compared with the one that it was taken for.
const COMPARED: usize = 16;

/// Explores the states up to the depth. States that are the same are explored once.
pub(crate) fn explore(scenario: &Scenario) {
    let deeper: usize = std::env::var("WORLDS_DEPTH").map_or(0, |deeper| deeper.parse().expect("a number"));
    let mut search = Search { scenario, seen: HashMap::new(), states: 0, transitions: 0, merged: 0, compared: 0 };
    let mut level = vec![Vec::new()];
    for depth in 0..=scenario.depth + deeper {
        let is_last = depth == scenario.depth + deeper;
        level = level.into_iter().flat_map(|path| search.visit(path, is_last)).collect();
    }
    let Search { states, transitions, merged, compared, .. } = search;
    println!("{}: {states} states, {transitions} transitions, {merged} merged, {compared} compared", scenario.name);
    assert!(states >= scenario.least_states);
}

/// Explores every path up to the depth.
pub(crate) fn explore_paths(scenario: &Scenario) {
    let mut level = vec![Vec::new()];
    let mut paths = 0;
    for depth in 0..=scenario.depth {
        let mut next = Vec::new();
        for path in level {
            paths += 1;
            report(scenario, &path, || {
                let mut world = World::replay(scenario, &path);
                world.check();
                if depth < scenario.depth {
                    next.extend(world.actions().into_iter().map(|action| after(&path, action)));
                } else {
                    finish(&mut world);
                }
            });
        }
        level = next;
    }
    println!("{}: {paths} paths", scenario.name);
    assert!(paths >= scenario.least_states);
}

struct Search<'a> {
    scenario: &'a Scenario,
    /// The path on which each state was first reached.
    seen: HashMap<u64, Vec<Action>>,
    states: usize,
    transitions: usize,
    merged: usize,
    compared: usize,
}

impl Search<'_> {
    /// Looks at the state at the end of that path. Returns the paths to the next ones, if it is new.
    fn visit(&mut self, path: Vec<Action>, is_last: bool) -> Vec<Vec<Action>> {
        self.transitions += usize::from(!path.is_empty());
        let scenario = self.scenario;
        let (id, actions) = report(scenario, &path, || {
            let mut world = World::replay(scenario, &path);
            world.check();
            (identity(&mut world), world.actions())
        });
        if let Some(first) = self.seen.get(&id) {
            self.merged += 1;
            if self.merged.is_multiple_of(COMPARED) {
                self.compared += 1;
                compare(scenario, first, &path);
            }
            return Vec::new();
        }
        self.states += 1;
        report(scenario, &path, || finish(&mut World::replay(scenario, &path)));
        let next = if is_last { Vec::new() } else { actions.into_iter().map(|action| after(&path, action)).collect() };
        self.seen.insert(id, path);
        next
    }
}

/// Two states that are taken for the same have the same futures, one action on.
fn compare(scenario: &Scenario, one: &[Action], other: &[Action]) {
    let actions = World::replay(scenario, one).actions();
    assert_eq!(actions, World::replay(scenario, other).actions(), "after {one:?} and {other:?}");
    for action in actions {
        let [one, other] = [one, other].map(|path| {
            let path = after(path, action);
            let id = identity(&mut World::replay(scenario, &path));
            (id, path)
        });
        assert_eq!(one.0, other.0, "{:?} and {:?} differ", one.1, other.1);
    }
}

fn after(path: &[Action], action: Action) -> Vec<Action> {
    let mut path = path.to_vec();
    path.push(action);
    path
}

/// Does the work, and names the path if it fails.
fn report<T>(scenario: &Scenario, path: &[Action], work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|cause| {
        let mut text = String::new();
        for action in path {
            writeln!(text, "    {action:?}").unwrap();
        }
        eprintln!("world {:?}, after\n{text}", scenario.name);
        resume_unwind(cause)
    })
}
