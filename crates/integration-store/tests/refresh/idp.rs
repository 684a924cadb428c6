//! An identity provider whose refresh tokens work once, and the client that workers ask it with.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use connector_http::{Client, ErrorDecoder, Method, Timer as _, TokenSet, TokioTimer, VendorError};
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::refresher::ends;

/// What becomes of a grant whose spent refresh token comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reuse {
    /// It is taken for a theft: none of the grant's tokens works any longer.
    RevokesTheGrant,
    /// It is refused.
    IsRefused,
    /// It is answered once more, as some providers do for a few seconds.
    IsAnsweredAgain,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) reuse: Reuse,
    /// Whether each answer brings a new refresh token. If not, it brings none.
    pub(crate) rotates: bool,
    /// How long access tokens live.
    pub(crate) life: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            reuse: Reuse::RevokesTheGrant,
            rotates: true,
            life: Duration::from_hours(1),
        }
    }
}

/// What to do with one call, other than to answer it at once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whim {
    /// Answer 500, having done nothing.
    Fail,
    /// Leave it lying until [`Idp::let_go`]. If the caller hangs up first, nothing was done.
    LeaveUnread,
    /// Do what it asks, and answer at [`Idp::let_go`].
    HoldAnswer,
    /// Do what it asks, and answer so much later.
    Answer(Duration),
}

/// How one call was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Granted,
    AnsweredAgain,
    /// The token was spent before.
    Spent,
    /// The grant is revoked, or the token is not ours.
    Refused,
    Failed,
    /// The caller hung up before it was read.
    HungUp,
}

pub(crate) struct Idp {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    rules: Rules,
    state: Mutex<State>,
    go: Semaphore,
    /// How many calls have come in.
    came: watch::Sender<usize>,
    /// How many of them are decided.
    decided: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    grants: Vec<Grant>,
    whims: VecDeque<Whim>,
    verdicts: Vec<Verdict>,
}

#[derive(Default)]
struct Grant {
    /// How often it was refreshed. The refresh token of that number is the one that works.
    number: usize,
    revoked: bool,
}

#[derive(Serialize, Deserialize)]
struct Answer {
    access_token: String,
    token_type: String,
    expires_in: u64,
    refresh_token: Option<String>,
}

impl Idp {
    pub(crate) async fn start(rules: Rules) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            rules,
            state: Mutex::default(),
            go: Semaphore::new(0),
            came: watch::Sender::new(0),
            decided: watch::Sender::new(0),
        });
        let served = shared.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = served.clone();
                // A caller that was killed leaves half a conversation behind.
                tokio::spawn(async move { shared.serve(stream).await.ok() });
            }
        });
        Self { address, shared }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Gives the first tokens of a new grant, as to a person who has just agreed.
    pub(crate) fn grant(&self) -> TokenSet {
        let mut state = self.shared.state();
        state.grants.push(Grant::default());
        let answer = self.shared.answer(state.grants.len() - 1, 0, true);
        tokens(answer, TokioTimer.utc_now())
    }

    /// Has this done with the next call that has no whim yet.
    pub(crate) fn next(&self, whim: Whim) {
        self.shared.state().whims.push_back(whim);
    }

    /// Lets one call go on that was left lying or whose answer is held.
    pub(crate) fn let_go(&self) {
        self.shared.go.add_permits(1);
    }

    /// Waits until so many calls have come in, the first since the start included.
    pub(crate) async fn calls(&self, at_least: usize) {
        let mut came = self.shared.came.subscribe();
        let enough = came.wait_for(|came| *came >= at_least);
        let enough = tokio::time::timeout(Duration::from_mins(1), enough).await;
        assert!(enough.is_ok_and(|came| came.is_ok()), "no call came");
    }

    /// Waits until so many calls are decided.
    pub(crate) async fn answered(&self, at_least: usize) {
        let mut decided = self.shared.decided.subscribe();
        let enough = decided.wait_for(|decided| *decided >= at_least);
        let enough = tokio::time::timeout(Duration::from_mins(1), enough).await;
        assert!(
            enough.is_ok_and(|decided| decided.is_ok()),
            "no call was decided"
        );
    }

    /// Returns how every call so far was decided.
    pub(crate) fn verdicts(&self) -> Vec<Verdict> {
        self.shared.state().verdicts.clone()
    }

    pub(crate) fn count(&self, verdict: Verdict) -> usize {
        let verdicts = self.verdicts();
        verdicts.iter().filter(|given| **given == verdict).count()
    }

    /// Returns how many grants it has revoked.
    pub(crate) fn revoked(&self) -> usize {
        let state = self.shared.state();
        state.grants.iter().filter(|grant| grant.revoked).count()
    }

    /// Returns whether this refresh token would be answered with tokens.
    pub(crate) fn takes(&self, refresh_token: &str) -> bool {
        let state = self.shared.state();
        let Some((grant, number)) = parse(refresh_token) else {
            return false;
        };
        let grant = state.grants.get(grant);
        grant.is_some_and(|grant| !grant.revoked && grant.number == number)
    }

    /// Returns whether this access token was ever given out.
    pub(crate) fn gave(&self, access_token: &str) -> bool {
        let state = self.shared.state();
        parse(access_token).is_some_and(|(grant, number)| {
            let grant = state.grants.get(grant);
            grant.is_some_and(|grant| number <= grant.number)
        })
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let token = read_token(&mut stream).await?;
        let whim = self.state().whims.pop_front();
        self.came.send_modify(|came| *came += 1);
        let (verdict, answer) = match whim {
            Some(Whim::Fail) => (Verdict::Failed, None),
            Some(Whim::LeaveUnread) => tokio::select! {
                permit = self.go.acquire() => {
                    permit.unwrap().forget();
                    self.decide(&token)
                }
                // There is nothing to read but the end.
                _ended = stream.read_u8() => (Verdict::HungUp, None),
            },
            Some(Whim::HoldAnswer) => {
                let decided = self.decide(&token);
                self.note(decided.0);
                self.go.acquire().await.unwrap().forget();
                return write(&mut stream, decided.0, decided.1).await;
            }
            Some(Whim::Answer(later)) => {
                let decided = self.decide(&token);
                TokioTimer.sleep(later).await;
                decided
            }
            None => self.decide(&token),
        };
        self.note(verdict);
        write(&mut stream, verdict, answer).await
    }

    fn note(&self, verdict: Verdict) {
        self.state().verdicts.push(verdict);
        self.decided.send_modify(|decided| *decided += 1);
    }

    fn decide(&self, token: &str) -> (Verdict, Option<Answer>) {
        let mut state = self.state();
        let Some((index, number)) = parse(token) else {
            return (Verdict::Refused, None);
        };
        let rotates = self.rules.rotates;
        let Some(grant) = state.grants.get_mut(index).filter(|grant| !grant.revoked) else {
            return (Verdict::Refused, None);
        };
        if !rotates {
            grant.number += 1;
            let answer = self.answer(index, grant.number, false);
            return (Verdict::Granted, Some(answer));
        }
        if number == grant.number {
            grant.number += 1;
            let answer = self.answer(index, grant.number, true);
            return (Verdict::Granted, Some(answer));
        }
        match self.rules.reuse {
            Reuse::RevokesTheGrant => grant.revoked = true,
            Reuse::IsAnsweredAgain if number + 1 == grant.number => {
                let answer = self.answer(index, grant.number, true);
                return (Verdict::AnsweredAgain, Some(answer));
            }
            Reuse::IsAnsweredAgain | Reuse::IsRefused => {}
        }
        (Verdict::Spent, None)
    }

    fn answer(&self, grant: usize, number: usize, with_refresh_token: bool) -> Answer {
        Answer {
            access_token: format!("access-{grant}-{number}"),
            token_type: "Bearer".to_owned(),
            expires_in: self.rules.life.as_secs(),
            refresh_token: with_refresh_token.then(|| format!("refresh-{grant}-{number}")),
        }
    }
}

/// Takes a token apart: the number of its grant, and which of the grant's tokens it is.
fn parse(token: &str) -> Option<(usize, usize)> {
    let (_, numbers) = token.split_once('-')?;
    let (grant, number) = numbers.split_once('-')?;
    Some((grant.parse().ok()?, number.parse().ok()?))
}

/// Reads one request and returns the refresh token in its form.
async fn read_token(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut request = Vec::new();
    loop {
        if stream.read_buf(&mut request).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let named = name.eq_ignore_ascii_case("content-length");
            named.then(|| value.trim().parse::<usize>().unwrap())
        });
        if body.len() < length.unwrap_or_default() {
            continue;
        }
        let form: HashMap<_, _> = body
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .collect();
        assert_eq!(form.get("grant_type"), Some(&"refresh_token"));
        return Ok(form
            .get("refresh_token")
            .map(|token| (*token).to_owned())
            .unwrap());
    }
}

async fn write(
    stream: &mut TcpStream,
    verdict: Verdict,
    answer: Option<Answer>,
) -> std::io::Result<()> {
    let (status, body) = match (answer, verdict) {
        (Some(answer), _) => ("200 OK", serde_json::to_string(&answer)?),
        (None, Verdict::Failed | Verdict::HungUp) => ("500 Internal Server Error", "{}".to_owned()),
        (None, _) => ("400 Bad Request", r#"{"error":"invalid_grant"}"#.to_owned()),
    };
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

fn tokens(answer: Answer, now: DateTime<Utc>) -> TokenSet {
    let life = Duration::from_secs(answer.expires_in);
    let mut tokens = TokenSet::new(answer.access_token, ends(now, life));
    tokens.refresh_token = answer.refresh_token.map(SecretString::from);
    tokens.token_type = answer.token_type;
    tokens
}

/// What a worker calls it with: the client that an authenticator would use.
pub(crate) struct IdpClient {
    client: Client,
}

/// What a worker makes of an answer.
pub(crate) enum Reply {
    Tokens(TokenSet),
    InvalidGrant,
    /// Anything else, which is never the end of a grant.
    Failed,
}

struct OauthErrors;

impl ErrorDecoder for OauthErrors {
    fn decode(&self, status: u16, _headers: &HeaderMap, body: &[u8]) -> Option<VendorError> {
        #[derive(Deserialize)]
        struct Body {
            error: String,
        }
        let body: Body = serde_json::from_slice(body)
            .ok()
            .filter(|_| status >= 400)?;
        Some(VendorError::new().code(body.error))
    }
}

impl IdpClient {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let client = Client::builder("idp")
            .base_url(format!("http://{address}"))
            .error_decoder(OauthErrors)
            .build()
            .unwrap();
        Self { client }
    }

    pub(crate) async fn refresh(
        &self,
        refresh_token: &SecretString,
        timeout: Duration,
        now: DateTime<Utc>,
    ) -> Reply {
        let form = format!(
            "grant_type=refresh_token&refresh_token={}",
            refresh_token.expose_secret()
        );
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        let call = self.client.raw(Method::Post, "/token").body(kind, form);
        match call
            .fetch::<Answer>()
            .timeout(timeout)
            .deadline(timeout)
            .no_retry()
            .await
        {
            Ok(answer) => Reply::Tokens(tokens(answer, now)),
            Err(error) if error.code() == Some("invalid_grant") => Reply::InvalidGrant,
            Err(_) => Reply::Failed,
        }
    }
}
