//! Lists that come in pages, as one stream that can stop and go on.
//!
//! One page is fetched when it is needed and dropped when it is used up, so a list of any length takes the memory
//! of a page, and eight bytes for each page seen.

mod cursor;

use std::collections::HashSet;
use std::fmt;
use std::future::{Future as _, poll_fn};
use std::hash::{BuildHasher as _, RandomState};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use self::cursor::Place;
pub use self::cursor::{Cursor, InvalidCursor};
use crate::call::Call;
use crate::error::{Delivery, Error, ErrorKind};
use crate::limits::Lane;

const DEFAULT_MAX_PAGES: u64 = 100_000;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// What is on it. May be empty though more pages follow.
    pub items: Vec<T>,
    /// The vendor's token for the next page; `None` on the last one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page. An empty token is read as none.
    pub fn new(items: Vec<T>, next: Option<String>) -> Self {
        Self {
            items,
            next: next.filter(|token| !token.is_empty()),
        }
    }
}

type Fetch<T> = Box<dyn Fn(Option<&str>) -> Call<Page<T>> + Send + Sync>;

/// A list that is not read yet.
///
/// ```
/// use connector_http::{Client, Endpoint, Error, Method, Page, Paginator};
///
/// const LIST: Endpoint = Endpoint::new("things.list", Method::Get, "/v1/things");
///
/// #[derive(serde::Deserialize)]
/// struct Things { data: Vec<String>, next: Option<String> }
///
/// fn things(client: &Client) -> Paginator<String> {
///     let client = client.clone();
///     Paginator::new(move |token| {
///         let request = client.request(&LIST).query_opt("pageToken", token);
///         request.fetch_map(|page: Things| Page::new(page.data, page.next))
///     })
/// }
///
/// # async fn run(client: Client) -> Result<(), Error> {
/// let mut things = things(&client).items();
/// while let Some(thing) = things.next().await {
///     println!("{} (checkpoint {})", thing?, things.cursor());
/// }
/// # Ok(()) }
/// ```
#[must_use = "a list is not read until its items or pages are asked for"]
pub struct Paginator<T> {
    fetch: Fetch<T>,
    from: Cursor,
    lane: Lane,
    limit: u64,
}

impl<T: Send + 'static> Paginator<T> {
    /// Makes a list of a function that fetches the page with this token, the first one without.
    pub fn new(fetch: impl Fn(Option<&str>) -> Call<Page<T>> + Send + Sync + 'static) -> Self {
        Self {
            fetch: Box::new(fetch),
            from: Cursor::default(),
            lane: Lane::Bulk,
            limit: DEFAULT_MAX_PAGES,
        }
    }

    /// Goes on where an earlier reading stopped.
    pub fn resume(mut self, cursor: Cursor) -> Self {
        self.from = cursor;
        self
    }

    /// Makes reading more pages than this an error. 100,000 by default, against a list without end.
    pub fn max_pages(mut self, pages: u64) -> Self {
        self.limit = pages;
        self
    }

    /// Chooses who goes first while calls wait for a rate limit. [`Lane::Bulk`] by default.
    pub fn lane(mut self, lane: Lane) -> Self {
        self.lane = lane;
        self
    }

    /// Reads item by item.
    pub fn items(self) -> Items<T> {
        let pages = self.pages();
        Items {
            here: pages.at.clone(),
            pages,
            page: Vec::new().into_iter(),
            taken: 0,
        }
    }

    /// Reads page by page. Resumed in the middle of a page, it begins with the rest of that page.
    pub fn pages(self) -> Pages<T> {
        let (at, skip) = self.from.into_parts();
        Pages {
            fetch: self.fetch,
            lane: self.lane,
            limit: self.limit,
            read: 0,
            at,
            skip,
            running: None,
            seen: Seen::default(),
            names: ("connector-http", "paging"),
            failed: false,
        }
    }

    /// Reads everything into memory.
    ///
    /// # Errors
    ///
    /// The first failure of a page; and [`ErrorKind::Config`] if there are more than `max_items`, because a list
    /// that was cut would look like a whole one.
    pub async fn all(self, max_items: usize) -> Result<Vec<T>, Error> {
        let mut pages = self.pages();
        let mut all = Vec::new();
        while let Some(page) = pages.next().await {
            all.append(&mut page?.items);
            if all.len() > max_items {
                let (vendor, operation) = pages.names;
                let reason = "the list has more items than were asked for at most";
                return Err(Error::config(vendor, operation, reason));
            }
        }
        Ok(all)
    }
}

impl<T> fmt::Debug for Paginator<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paginator")
            .field("from", &self.from)
            .field("lane", &self.lane)
            .field("max_pages", &self.limit)
            .finish_non_exhaustive()
    }
}

/// The pages of a list, one by one. Ends after the last page or the first error.
#[must_use = "a stream does nothing until it is polled"]
pub struct Pages<T> {
    fetch: Fetch<T>,
    lane: Lane,
    limit: u64,
    read: u64,
    /// The page to fetch next.
    at: Place,
    /// How many items of that page were taken in an earlier reading.
    skip: usize,
    running: Option<Call<Page<T>>>,
    seen: Seen,
    /// Vendor and operation, for errors of our own.
    names: (&'static str, &'static str),
    failed: bool,
}

/// A page, where it was, and how many of its items were left out.
struct Fetched<T> {
    page: Page<T>,
    from: Place,
    skipped: usize,
}

impl<T: Send + 'static> Pages<T> {
    /// Reads the next page. `None` when there is none, or after an error.
    ///
    /// Dropping this future before it is ready loses nothing: the page under way is kept.
    ///
    /// # Errors
    ///
    /// That of the page's call; [`ErrorKind::Decode`] when the vendor's tokens go in a circle;
    /// [`ErrorKind::Config`] when there are more pages than `max_pages`.
    pub async fn next(&mut self) -> Option<Result<Page<T>, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Returns where to go on: before the first page that was not given out. After an error that is the page that
    /// failed.
    pub fn cursor(&self) -> Cursor {
        Cursor::new(self.at.clone(), self.skip)
    }

    fn poll_fetched(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Fetched<T>, Error>>> {
        let Place::Page(token) = &self.at else {
            return Poll::Ready(None);
        };
        if self.failed {
            return Poll::Ready(None);
        }
        let mut running = if let Some(running) = self.running.take() {
            running
        } else {
            let (vendor, operation) = self.names;
            if self.read >= self.limit {
                let reason = "the list has more pages than max_pages allows";
                return self.fail(Error::config(vendor, operation, reason));
            }
            if token.as_deref().is_some_and(|token| !self.seen.add(token)) {
                let delivery = Delivery::Succeeded;
                let error = Error::new(ErrorKind::Decode, vendor, operation, delivery);
                return self.fail(error.with_source(RepeatedToken));
            }
            let call = (self.fetch)(token.as_deref()).lane(self.lane);
            self.names = call.names().unwrap_or(self.names);
            call
        };
        let Poll::Ready(result) = Pin::new(&mut running).poll(cx) else {
            self.running = Some(running);
            return Poll::Pending;
        };
        let mut page = match result {
            Ok(page) => page,
            Err(error) => return self.fail(error),
        };
        self.read = self.read.saturating_add(1);
        let skipped = std::mem::take(&mut self.skip).min(page.items.len());
        page.items.drain(..skipped);
        let next = match &page.next {
            Some(token) => Place::Page(Some(token.clone())),
            None => Place::End,
        };
        let from = std::mem::replace(&mut self.at, next);
        Poll::Ready(Some(Ok(Fetched {
            page,
            from,
            skipped,
        })))
    }

    fn fail<O>(&mut self, error: Error) -> Poll<Option<Result<O, Error>>> {
        self.failed = true;
        Poll::Ready(Some(Err(error)))
    }
}

impl<T> Unpin for Pages<T> {}

impl<T: Send + 'static> Stream for Pages<T> {
    type Item = Result<Page<T>, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let fetched = ready!(self.get_mut().poll_fetched(cx));
        Poll::Ready(fetched.map(|fetched| fetched.map(|fetched| fetched.page)))
    }
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("read", &self.read)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

/// The items of a list, one by one. Ends after the last item or the first error.
#[must_use = "a stream does nothing until it is polled"]
pub struct Items<T> {
    pages: Pages<T>,
    /// What is left of the page being given out.
    page: std::vec::IntoIter<T>,
    here: Place,
    /// How many items of it were given out, in earlier readings too.
    taken: usize,
}

impl<T: Send + 'static> Items<T> {
    /// Reads the next item. `None` when there is none, or after an error.
    ///
    /// Dropping this future before it is ready loses nothing.
    ///
    /// # Errors
    ///
    /// As [`Pages::next`].
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Returns where to go on: after the last item that was given out.
    ///
    /// It counts items within a page, so what the vendor inserts into or removes from that very page in between may
    /// be seen twice or not at all.
    pub fn cursor(&self) -> Cursor {
        if self.page.as_slice().is_empty() {
            self.pages.cursor()
        } else {
            Cursor::new(self.here.clone(), self.taken)
        }
    }
}

impl<T> Unpin for Items<T> {}

impl<T: Send + 'static> Stream for Items<T> {
    type Item = Result<T, Error>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(item) = this.page.next() {
                this.taken = this.taken.saturating_add(1);
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(this.pages.poll_fetched(cx)) {
                Some(Ok(fetched)) => {
                    this.here = fetched.from;
                    this.taken = fetched.skipped;
                    this.page = fetched.page.items.into_iter();
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items")
            .field("pages", &self.pages)
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}

/// The page tokens there were, as hashes: a circle of any length is found, in eight bytes a page.
#[derive(Default)]
struct Seen {
    random: RandomState,
    hashes: HashSet<u64>,
}

impl Seen {
    /// Returns false if it was there before.
    fn add(&mut self, token: &str) -> bool {
        self.hashes.insert(self.random.hash_one(token))
    }
}

#[derive(Debug)]
struct RepeatedToken;

impl fmt::Display for RepeatedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the vendor gave a page token for the second time")
    }
}

impl std::error::Error for RepeatedToken {}
