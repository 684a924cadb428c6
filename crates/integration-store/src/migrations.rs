use crate::OpenError;

/// One step of the schema. Its text never changes once it is published.
///
/// Every program knows all of them, whatever its features, so that programs with different features can share a
/// database.
#[derive(Debug)]
pub(crate) struct Migration {
    pub(crate) version: i64,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

/// A step that a database has taken.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) version: i64,
    pub(crate) name: String,
    pub(crate) checksum: String,
}

impl Migration {
    /// Returns a checksum of the text. The ends of its lines do not count: a checkout may change them.
    pub(crate) fn checksum(&self) -> String {
        use std::fmt::Write;

        use sqlx::SqlSafeStr;
        use sqlx::migrate::{Migration, MigrationType};

        let text = sqlx::AssertSqlSafe(self.sql.replace("\r\n", "\n")).into_sql_str();
        let hashed = Migration::new(
            self.version,
            self.name.into(),
            MigrationType::Simple,
            text,
            false,
        );
        hashed.checksum.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// Returns the names of the tables that it makes.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.sql.lines().filter_map(|line| {
            let named = line.strip_prefix("create table ")?;
            named.split([' ', '(']).next()
        })
    }
}

/// Returns the steps that a database has still to take.
pub(crate) fn pending<'known>(
    known: &'known [Migration],
    applied: &[Applied],
) -> Result<Vec<&'known Migration>, OpenError> {
    let last = known.iter().map(|migration| migration.version).max();
    for taken in applied {
        let same = known
            .iter()
            .find(|migration| migration.version == taken.version)
            .is_some_and(|migration| migration.checksum() == taken.checksum);
        if same {
            continue;
        }
        return Err(if Some(taken.version) > last {
            OpenError::Newer {
                found: applied
                    .iter()
                    .map(|taken| taken.version)
                    .max()
                    .unwrap_or(taken.version),
                known: last.unwrap_or_default(),
            }
        } else {
            OpenError::Changed {
                version: taken.version,
                name: taken.name.clone(),
            }
        });
    }
    Ok(known
        .iter()
        .filter(|migration| {
            !applied
                .iter()
                .any(|taken| taken.version == migration.version)
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [Migration; 2] = [
        Migration {
            version: 1,
            name: "one",
            sql: "create table one (a text);\n",
        },
        Migration {
            version: 2,
            name: "two",
            sql: "create table two (a text);\n",
        },
    ];

    fn applied(version: i64, checksum: String) -> Applied {
        Applied {
            version,
            name: "name in the database".to_owned(),
            checksum,
        }
    }

    #[test]
    fn what_is_not_there_yet_is_pending_in_order() {
        let versions = |applied: &[Applied]| -> Vec<i64> {
            let pending = pending(&KNOWN, applied).unwrap();
            pending.iter().map(|migration| migration.version).collect()
        };
        assert_eq!(versions(&[]), [1, 2]);
        assert_eq!(versions(&[applied(1, KNOWN[0].checksum())]), [2]);
        assert_eq!(versions(&[applied(2, KNOWN[1].checksum())]), [1]);
    }

    #[test]
    fn a_step_knows_its_tables() {
        let migration = Migration {
            version: 1,
            name: "one",
            sql: "-- create table none\ncreate table one (\n  a text\n);\ncreate index i on one (a);\ncreate table two(a text);",
        };
        assert_eq!(migration.tables().collect::<Vec<_>>(), ["one", "two"]);
    }

    #[test]
    fn a_database_from_the_future_is_refused() {
        let ahead = [
            applied(1, KNOWN[0].checksum()),
            applied(7, String::new()),
            applied(9, String::new()),
        ];
        let error = pending(&KNOWN, &ahead).unwrap_err();
        assert!(matches!(error, OpenError::Newer { found: 9, known: 2 }));
    }

    #[test]
    fn a_step_with_another_text_is_refused() {
        let changed = [applied(2, KNOWN[0].checksum())];
        let error = pending(&KNOWN, &changed).unwrap_err();
        assert!(matches!(error, OpenError::Changed { version: 2, .. }));
    }

    #[test]
    fn ends_of_lines_do_not_count_in_a_checksum_and_anything_else_does() {
        let text = |sql| Migration {
            version: 1,
            name: "one",
            sql,
        };
        assert_eq!(
            KNOWN[0].checksum(),
            text("create table one (a text);\r\n").checksum()
        );
        assert_ne!(
            KNOWN[0].checksum(),
            text("create table one (b text);\n").checksum()
        );
    }
}
