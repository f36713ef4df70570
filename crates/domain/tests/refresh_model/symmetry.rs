//! The symmetries: which states the checker treats as one.

use std::hash::{Hash, Hasher};

use crate::state::{ClientStorage, Key, Node, Party, Phase, Request, SLOTS, State, TestResponse};

/// The parts of a state in which clients and nodes have names, as numbers: the requests, the
/// request of the open transaction, and what each client has read.
type Named = ([u32; SLOTS], u32, [u32; 2]);

/// Equal hashes mean states that differ only in names.
///
/// The checker identifies a state by its hash. The two clients are interchangeable; so are the two
/// nodes once a node has read its clock; and the order in which requests are kept has no meaning.
/// Hashing the least of the renamed forms leaves one of such states to explore. A path still
/// consists of the original states, so that a client has the same name throughout a trace.
impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let named: Named = (
            self.requests.map(|request| request.map_or(0, request_number)),
            self.pending.map_or(0, |pending| request_number(pending.request)),
            self.read.map(place_number),
        );
        let mut least = renamed(named, false, false);
        for (tabs, nodes) in [(false, true), (true, false), (true, true)] {
            least = least.min(renamed(named, tabs, nodes));
        }
        least.hash(hasher);
        self.row.hash(hasher);
        self.pending.map(|pending| (pending.row, pending.decision)).hash(hasher);
        self.kept.hash(hasher);
        self.storage.hash(hasher);
        self.stolen.hash(hasher);
        self.notes.hash(hasher);
    }
}

/// The named parts, with the two clients or the two nodes swapped.
fn renamed((requests, pending, [first, second]): Named, tabs: bool, nodes: bool) -> Named {
    let mut requests = requests.map(|number| renamed_number(number, tabs, nodes));
    requests.sort_unstable();
    let read = if tabs { [second, first] } else { [first, second] };
    (requests, renamed_number(pending, tabs, nodes), read)
}

/// Changes the names in a number of [`request_number`].
fn renamed_number(number: u32, tabs: bool, nodes: bool) -> u32 {
    let is_of_tab = number != 0 && number & 0b0011 < 2;
    let is_at_node = number & 0b1100 != 0;
    number ^ u32::from(tabs && is_of_tab) ^ if nodes && is_at_node { 0b1100 } else { 0 }
}

/// The number of a request, above 0. The lowest two bits are its sender (tab A 0, tab B 1) and the
/// next two its node (none 0, one 0b01, two 0b10).
fn request_number(request: Request) -> u32 {
    let (phase, node, response) = match request.phase {
        Phase::Sent => (1, None, None),
        Phase::Read(node) => (2, Some(node), None),
        Phase::Missed(node) => (3, Some(node), None),
        Phase::Open(node, response) => (4, Some(node), Some(response)),
        Phase::Answered(response) => (5, None, Some(response)),
    };
    let from = match request.from {
        Party::TabA => 0b00,
        Party::TabB => 0b01,
        Party::Thief => 0b10,
    };
    let at = match node {
        None => 0b00,
        Some(Node::One) => 0b01,
        Some(Node::Two) => 0b10,
    };
    from | at << 2
        | u32::from(request.awaited) << 4
        | u32::from(request.forged) << 5
        | u32::from(request.age) << 6
        | u32::from(request.generation) << 8
        | response.map_or(0, response_number) << 12
        | key_number(request.key) << 16
        | phase << 21
}

fn place_number(storage: ClientStorage) -> u32 {
    u32::from(storage.generation) * 32 + key_number(storage.key)
}

/// The number of a key, below 32.
pub fn key_number(key: Option<Key>) -> u32 {
    match key {
        None => 0,
        Some(Key::Thief) => 1,
        Some(Key::Own(generation, copy)) => 2 + u32::from(generation) * 2 + u32::from(copy),
    }
}

fn response_number(response: TestResponse) -> u32 {
    match response {
        TestResponse::Reused => 1,
        TestResponse::Ended => 2,
        TestResponse::Invalid => 3,
        TestResponse::Token(generation) => 4 + u32::from(generation),
    }
}

#[test]
fn changing_names_back_gives_the_same_number() {
    for number in [1 << 21, 1 << 21 | 1, 1 << 21 | 2, 3 << 21 | 0b0101, 3 << 21 | 0b1010] {
        let other = renamed_number(number, true, true);
        assert_eq!(renamed_number(other, true, true), number);
        assert_eq!(number & 0b0011 == 2, other & 0b0011 == 2, "the thief stays the thief");
    }
    assert_eq!(renamed_number(0, true, true), 0, "no request has no names");
}
