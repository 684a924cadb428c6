//! How large a schema is with every reference written out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::walk::{children, referred};

/// How many schemas, and how deep.
const MAX_SCHEMAS: usize = 500;
const MAX_DEPTH: usize = 48;

/// Refuses references that lead nowhere, in circles, or to too much: two definitions that each name the next twice
/// double with every step, and the time to validate with them. Says what is wrong.
pub(super) fn check(schema: &Value) -> Result<(), &'static str> {
    let mut expansion = Expansion {
        root: schema,
        done: BTreeMap::new(),
        open: BTreeSet::new(),
    };
    expansion.measure(schema, 0).map(|_size| ())
}

struct Expansion<'s> {
    root: &'s Value,
    done: BTreeMap<&'s str, Size>,
    open: BTreeSet<&'s str>,
}

#[derive(Copy, Clone, Default)]
struct Size {
    schemas: usize,
    depth: usize,
}

impl<'s> Expansion<'s> {
    fn measure(&mut self, schema: &'s Value, depth: usize) -> Result<Size, &'static str> {
        if depth > MAX_DEPTH {
            return Err("must not nest references so deeply");
        }
        let mut size = Size {
            schemas: 1,
            depth: 1,
        };
        let Value::Object(map) = schema else {
            return Ok(size);
        };
        for child in children(map) {
            // Definitions count where they are used.
            if !matches!(child.keyword, "definitions" | "$defs") {
                size = size.with(self.measure(child.schema, depth + 1)?);
            }
        }
        if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
            size = size.with(self.referred(reference, depth)?);
        }
        if size.schemas > MAX_SCHEMAS || size.depth > MAX_DEPTH {
            return Err("must not grow so large when its references are written out");
        }
        Ok(size)
    }

    fn referred(&mut self, reference: &'s str, depth: usize) -> Result<Size, &'static str> {
        if let Some(size) = self.done.get(reference) {
            return Ok(*size);
        }
        let target = referred(self.root, reference)
            .ok_or("has a reference to a definition that is missing")?;
        if !self.open.insert(reference) {
            return Err("has references that go in circles");
        }
        let size = self.measure(target, depth + 1)?;
        self.open.remove(reference);
        self.done.insert(reference, size);
        Ok(size)
    }
}

impl Size {
    fn with(self, part: Self) -> Self {
        Self {
            schemas: self.schemas.saturating_add(part.schemas),
            depth: self.depth.max(part.depth.saturating_add(1)),
        }
    }
}
