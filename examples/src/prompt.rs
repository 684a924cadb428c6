//! Questions to whoever sits at the terminal, and what to take for an answer when nobody does.

use std::io::IsTerminal as _;

use dialoguer::{Confirm, Input, Password, Select};
use secrecy::SecretString;

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prompt {
    /// The person at the terminal.
    Person,
    /// Nobody: every question is answered by what is suggested with it.
    Nobody,
}

impl Prompt {
    /// Asks the person at the terminal, unless there is none or `unattended` is set.
    pub fn new(unattended: bool) -> Self {
        if unattended || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            Self::Nobody
        } else {
            Self::Person
        }
    }

    /// Asks to choose one of several, and returns its number. The first is suggested.
    ///
    /// # Errors
    ///
    /// When the terminal is gone.
    pub fn choose(self, question: &str, choices: &[String]) -> Result<usize, dialoguer::Error> {
        if self == Self::Nobody {
            return Ok(0);
        }
        Select::new()
            .with_prompt(question)
            .items(choices)
            .default(0)
            .interact()
    }

    /// Asks for a line of text. Empty is a valid answer.
    ///
    /// # Errors
    ///
    /// When the terminal is gone.
    pub fn text(self, question: &str, suggested: &str) -> Result<String, dialoguer::Error> {
        if self == Self::Nobody {
            return Ok(suggested.to_owned());
        }
        let ask = Input::new().with_prompt(question).allow_empty(true);
        if suggested.is_empty() {
            ask.interact_text()
        } else {
            ask.default(suggested.to_owned()).interact_text()
        }
    }

    /// Asks for a secret, which is not shown while it is typed. Nothing typed means `suggested`.
    ///
    /// # Errors
    ///
    /// When the terminal is gone.
    pub fn secret(
        self,
        question: &str,
        suggested: &SecretString,
    ) -> Result<SecretString, dialoguer::Error> {
        if self == Self::Nobody {
            return Ok(suggested.clone());
        }
        let typed = Password::new()
            .with_prompt(question)
            .allow_empty_password(true)
            .interact()?;
        Ok(if typed.is_empty() {
            suggested.clone()
        } else {
            typed.into()
        })
    }

    /// Asks yes or no.
    ///
    /// # Errors
    ///
    /// When the terminal is gone.
    pub fn confirm(self, question: &str, suggested: bool) -> Result<bool, dialoguer::Error> {
        if self == Self::Nobody {
            return Ok(suggested);
        }
        Confirm::new()
            .with_prompt(question)
            .default(suggested)
            .interact()
    }
}
