//! The port to a vendor: what a target must be able to do, and the plan that never creates twice.

mod clients;
mod delivery;

use std::time::Duration;

use async_trait::async_trait;

pub use clients::{ClientProvider, SharedClient};
pub use delivery::{
    Action, CallBudget, Context, Delivered, Delivery, Hit, Known, Person, Unmapped, Updated,
};

use crate::contact::Contact;
use crate::failure::{ErrorClass, TargetError};
use crate::ids::RemoteId;

/// A vendor that contacts are sent to.
///
/// A target has the five small calls and, made of them, [`deliver`](Self::deliver). It asks a [`ClientProvider`] for
/// its client and never sees a credential. Its errors carry an [`ErrorClass`]; no error, log line or `Debug` of it
/// shows a field of a contact.
///
/// # A vendor of one's own
///
/// | Call | Made | To be answered with |
/// |---|---|---|
/// | [`find`](Self::find) | before every create, and after one that ended in doubt | every record that may be this person, each once: under [`Person::key`] and each of [`Person::aliases`], and by address or number where the vendor can be searched so. Several are never guessed at: the job waits for a person |
/// | [`create`](Self::create) | when nobody was found | the new record's id, written under [`Person::key`] in a field that `find` searches |
/// | [`update`](Self::update) | when there is a link, or `find` has found one record | whether anything was different; what the contact does not say stays as it is. [`Gone`](Updated::Gone) cuts the link, and the job begins anew with a look |
/// | [`delete`](Self::delete) | to take back a strict create, and for an erased contact whose record is ours | `Ok` as well if it was gone already |
///
/// **The error of a create decides whether a person is there once or twice.** It is
/// [`Ambiguous`](ErrorClass::Ambiguous) unless it is *known* that there is no record:
///
/// | What is known | Class | What follows |
/// |---|---|---|
/// | not sent; refused before any work (no connection, 429, 401) | [`Transient`](ErrorClass::Transient), [`RateLimited`](ErrorClass::RateLimited), [`Auth`](ErrorClass::Auth) | tried again later |
/// | the vendor does not want this contact (400) | [`InvalidData`](ErrorClass::InvalidData) | a dead letter at once |
/// | the vendor has this person already (409) | [`Conflict`](ErrorClass::Conflict) | looked for and updated; if nobody is found, a person chooses |
/// | an answer that says neither (5xx), or cannot be read | [`Ambiguous`](ErrorClass::Ambiguous) | looked for at once; the next attempt looks before it creates |
/// | no answer: a time-out, a broken connection | the same, [`still_running`](TargetError::still_running) | the same, and the next attempt waits for the [settle time](Self::settle_time) |
///
/// To call an unclear end `Transient` is how people come to be there twice. To call a clear one `Ambiguous` costs a
/// wait and nothing else.
///
/// Two times are the vendor's, and honest ones are as long as its worst:
///
/// - [`search_lag`](Self::search_lag): for how long `find` can miss a record that was created. Where it is not zero,
///   `find` is asked a second time, so much later, before anything is created. Zero is for a vendor that reads what it
///   has written.
/// - [`settle_time`](Self::settle_time): for how long a request that nobody waits for any more can still take effect.
///   That is the time-out of the vendor or of what stands in front of it, not that of the client. A lease is never
///   shorter than one and a half of it, so a worker that was killed in a create is not followed too early.
///
/// ```
/// # use std::sync::{Arc, Mutex};
/// use std::time::Duration;
///
/// use chrono::{DateTime, Utc};
/// use contact_sync::{
///     Contact, Context, ErrorClass, Field, Hit, Person, RemoteId, Target, TargetError, Unmapped, Updated,
/// };
///
/// /// The CRM of the house, by the client that it has. Customers have a `reference` that nobody else uses.
/// struct InHouse(Crm);
///
/// #[async_trait::async_trait]
/// impl Target for InHouse {
///     fn name(&self) -> &'static str {
///         "in-house"
///     }
///
///     fn can_delete(&self) -> bool {
///         true
///     }
///
///     // It searches a replica that is a second or two behind.
///     fn search_lag(&self) -> Duration {
///         Duration::from_secs(3)
///     }
///
///     // The proxy in front of it gives up after a minute, and the server does not notice.
///     fn settle_time(&self) -> Duration {
///         Duration::from_mins(1)
///     }
///
///     fn unmapped(&self, contact: &Contact) -> Vec<Unmapped> {
///         let notes = contact.notes().map(|_| Unmapped::new(Field::Notes, "customers have no notes"));
///         notes.into_iter().collect()
///     }
///
///     async fn find(&self, _: &Context<'_>, person: &Person<'_>) -> Result<Vec<Hit>, TargetError> {
///         let mut hits = Vec::new();
///         for key in std::iter::once(person.key).chain(person.aliases) {
///             let found = self.0.by_reference(key.as_str()).await.map_err(|e| refused(&e))?;
///             hits.extend(found.map(|row| Hit::new(row.id.to_string(), Some(row.created_at))));
///         }
///         Ok(hits)
///     }
///
///     async fn create(&self, _: &Context<'_>, person: &Person<'_>) -> Result<RemoteId, TargetError> {
///         let made = self.0.insert(person.key.as_str(), &fields(person.contact)).await;
///         let id = made.map_err(|error| match error {
///             // It may have come to pass.
///             CrmError::NoAnswer => TargetError::new(ErrorClass::Ambiguous).still_running(),
///             CrmError::Status(status @ 500..) => TargetError::new(ErrorClass::Ambiguous).status(status),
///             error => refused(&error),
///         })?;
///         Ok(RemoteId::from(id.to_string()))
///     }
///
///     async fn update(
///         &self,
///         _: &Context<'_>,
///         remote: &RemoteId,
///         person: &Person<'_>,
///     ) -> Result<Updated, TargetError> {
///         let Some(row) = self.0.get(remote.as_str()).await.map_err(|e| refused(&e))? else {
///             return Ok(Updated::Gone);
///         };
///         let wanted = fields(person.contact);
///         if row.fields == wanted {
///             return Ok(Updated::Unchanged);
///         }
///         self.0.save(row.id, &wanted).await.map_err(|e| refused(&e))?;
///         Ok(Updated::Changed)
///     }
///
///     async fn delete(&self, _: &Context<'_>, remote: &RemoteId) -> Result<(), TargetError> {
///         self.0.remove(remote.as_str()).await.map_err(|e| refused(&e))
///     }
/// }
///
/// /// What nothing can have come of.
/// fn refused(error: &CrmError) -> TargetError {
///     match error {
///         CrmError::NoAnswer => TargetError::new(ErrorClass::Transient),
///         CrmError::Status(status) => TargetError::new(match status {
///             401 | 403 => ErrorClass::Auth,
///             409 => ErrorClass::Conflict,
///             429 => ErrorClass::RateLimited,
///             400..500 => ErrorClass::InvalidData,
///             _ => ErrorClass::Transient,
///         })
///         .status(*status),
///     }
/// }
///
/// fn fields(contact: &Contact) -> Fields {
///     Fields {
///         name: [contact.name().first(), contact.name().last()].into_iter().flatten().collect::<Vec<_>>().join(" "),
///         email: contact.email().filter(|e| e.is_valid()).map(|e| e.normalized().to_owned()),
///     }
/// }
/// # #[derive(Clone, PartialEq)]
/// # struct Fields { name: String, email: Option<String> }
/// # #[derive(Clone)]
/// # struct Row { id: usize, reference: String, fields: Fields, created_at: DateTime<Utc> }
/// # enum CrmError { NoAnswer, Status(u16) }
/// # /// Loses its first answer.
/// # #[derive(Clone, Default)]
/// # struct Crm(Arc<Mutex<Vec<Row>>>);
/// # impl Crm {
/// #     async fn by_reference(&self, reference: &str) -> Result<Option<Row>, CrmError> {
/// #         Ok(self.0.lock().unwrap().iter().find(|row| row.reference == reference).cloned())
/// #     }
/// #     async fn get(&self, id: &str) -> Result<Option<Row>, CrmError> {
/// #         Ok(self.0.lock().unwrap().iter().find(|row| row.id.to_string() == id).cloned())
/// #     }
/// #     async fn insert(&self, reference: &str, fields: &Fields) -> Result<usize, CrmError> {
/// #         let mut rows = self.0.lock().unwrap();
/// #         let (id, created_at) = (rows.len(), Timer::utc_now(&TokioTimer));
/// #         rows.push(Row { id, reference: reference.to_owned(), fields: fields.clone(), created_at });
/// #         if id == 0 { Err(CrmError::NoAnswer) } else { Ok(id) }
/// #     }
/// #     async fn save(&self, id: usize, fields: &Fields) -> Result<(), CrmError> {
/// #         let mut rows = self.0.lock().unwrap();
/// #         let row = rows.iter_mut().find(|row| row.id == id).ok_or(CrmError::Status(404))?;
/// #         row.fields = fields.clone();
/// #         Ok(())
/// #     }
/// #     async fn remove(&self, id: &str) -> Result<(), CrmError> {
/// #         self.0.lock().unwrap().retain(|row| row.id.to_string() != id);
/// #         Ok(())
/// #     }
/// # }
/// # use contact_sync::{CrmHook, MemoryStore, Signup, SignupHook, StaticDirectory, Timer, TokioTimer, Worker};
/// # async fn works() {
/// # let (crm, store) = (Crm::default(), Arc::new(MemoryStore::new()));
/// # let target = Arc::new(InHouse(crm.clone()));
/// # let worker = Worker::new(store.clone()).target(target.clone()).start();
/// # let hook = SignupHook::new(store.clone(), StaticDirectory::new().on("in-house"));
/// # for name in ["Ann Lee", "Ann Day"] {
/// #     hook.on_signup(Signup::new().host_id("17").name(name).email("ann@example.com")).await.unwrap();
/// #     worker.idle().await;
/// # }
/// # assert_eq!(crm.0.lock().unwrap().len(), 1);
/// # assert_eq!(crm.0.lock().unwrap()[0].fields.name, "Ann Day");
/// # let strict = CrmHook::new(store, StaticDirectory::new().on("in-house")).target(target);
/// # let bob = Signup::new().name("Bob Ray").email("bob@example.com");
/// # strict.create(&bob, async |_| Err::<(), _>(())).await.unwrap_err();
/// # assert_eq!(crm.0.lock().unwrap().len(), 1);
/// # }
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
/// # runtime.unwrap().block_on(works());
/// ```
///
/// The worker and both hooks take it as they take any other: `Worker::new(store).target(Arc::new(InHouse(crm)))`, with a
/// [`TargetDirectory`](crate::TargetDirectory) that names it. A tenant's own wishes come from a
/// [`Mappings`](crate::Mappings) port: [`FieldMap::apply`](crate::FieldMap::apply) says what goes where.
#[async_trait]
pub trait Target: Send + Sync {
    /// Returns the name that jobs, links and receipts carry, such as `openphone`.
    fn name(&self) -> &'static str;

    /// Tells how dear a call is.
    fn budget(&self) -> CallBudget {
        CallBudget::Plenty
    }

    /// Tells whether a record can be deleted again. The strict road needs it.
    fn can_delete(&self) -> bool;

    /// Returns how long a new record can stay invisible to [`find`](Self::find), at the worst. Zero means that one look
    /// suffices.
    fn search_lag(&self) -> Duration;

    /// Returns how long an unanswered request can still take effect: the time-out of the vendor, or of what stands in
    /// front of it.
    fn settle_time(&self) -> Duration;

    /// Returns what of a contact has no place at the vendor, or is not fit for it.
    fn unmapped(&self, contact: &Contact) -> Vec<Unmapped>;

    /// Returns the same for one tenant, where a tenant's own [`FieldMap`](crate::FieldMap) counts too.
    async fn unmapped_for(&self, context: &Context<'_>, contact: &Contact) -> Vec<Unmapped> {
        let _ = context;
        self.unmapped(contact)
    }

    /// Looks for records of a person, as far as the vendor can be searched; each record once.
    ///
    /// # Errors
    ///
    /// A classified error; a look-up never fails as [`ErrorClass::Ambiguous`].
    async fn find(
        &self,
        context: &Context<'_>,
        person: &Person<'_>,
    ) -> Result<Vec<Hit>, TargetError>;

    /// Creates a record, under the person's key.
    ///
    /// # Errors
    ///
    /// A classified error: [`ErrorClass::Ambiguous`] whenever a record may exist now,
    /// [`ErrorClass::Conflict`] when the vendor says that one exists already.
    async fn create(
        &self,
        context: &Context<'_>,
        person: &Person<'_>,
    ) -> Result<RemoteId, TargetError>;

    /// Writes what is different about a person; writes nothing if nothing is.
    ///
    /// # Errors
    ///
    /// A classified error.
    async fn update(
        &self,
        context: &Context<'_>,
        remote: &RemoteId,
        person: &Person<'_>,
    ) -> Result<Updated, TargetError>;

    /// Deletes a record; one that is gone already counts as deleted.
    ///
    /// # Errors
    ///
    /// A classified error.
    async fn delete(&self, context: &Context<'_>, remote: &RemoteId) -> Result<(), TargetError>;

    /// Brings a person to the vendor, once.
    ///
    /// The plan of the trait: update the known record; else look, and update the one that is there; else create. After
    /// an ambiguous result, or when the vendor says that the record exists, it looks again. It never creates twice in
    /// one call: what is still unclear then is for the next attempt, which begins with a look. Targets whose calls are
    /// scarce may have a cheaper plan that is as safe.
    ///
    /// # Errors
    ///
    /// A classified error; [`ErrorClass::Conflict`] when several records could be meant.
    async fn deliver(
        &self,
        context: &Context<'_>,
        delivery: &Delivery,
    ) -> Result<Delivered, TargetError> {
        deliver_once(self, context, delivery).await
    }
}

async fn deliver_once<T: Target + ?Sized>(
    target: &T,
    context: &Context<'_>,
    delivery: &Delivery,
) -> Result<Delivered, TargetError> {
    let person = delivery.person();
    match &delivery.known {
        Known::One(remote) => {
            return Ok(match target.update(context, remote, &person).await? {
                Updated::Changed => Delivered::done(remote.clone(), Action::Updated),
                Updated::Unchanged => Delivered::done(remote.clone(), Action::Unchanged),
                Updated::Gone => Delivered::Gone(remote.clone()),
            });
        }
        Known::Several(_) => return Err(TargetError::new(ErrorClass::Conflict)),
        Known::Nobody => {}
    }
    if let Some(hit) = look(target, context, &person).await? {
        let adopted = adopt(target, context, &person, hit.remote).await?;
        // An earlier attempt has created it without hearing so: to the outside, this is that create.
        return Ok(match adopted {
            Delivered::Done { remote, .. } if delivery.uncertain && delivery.aliases.is_empty() => {
                Delivered::done(remote, Action::Created)
            }
            adopted => adopted,
        });
    }
    let failure = match target.create(context, &person).await {
        Ok(remote) => return Ok(Delivered::done(remote, Action::Created)),
        Err(failure) => failure,
    };
    match failure.class() {
        ErrorClass::Ambiguous => match look(target, context, &person).await {
            Ok(Some(hit)) => Ok(Delivered::done(hit.remote, Action::Created)),
            // Nothing there yet, or the look failed too: what matters is that a record may exist.
            Ok(None) | Err(_) => Err(failure),
        },
        ErrorClass::Conflict => match look(target, context, &person).await? {
            Some(hit) => adopt(target, context, &person, hit.remote).await,
            None => Err(failure),
        },
        _ => Err(failure),
    }
}

async fn adopt<T: Target + ?Sized>(
    target: &T,
    context: &Context<'_>,
    person: &Person<'_>,
    remote: RemoteId,
) -> Result<Delivered, TargetError> {
    match target.update(context, &remote, person).await? {
        Updated::Changed => Ok(Delivered::done(remote, Action::Updated)),
        Updated::Unchanged => Ok(Delivered::done(remote, Action::Unchanged)),
        // Deleted between the look and the write: look again, later.
        Updated::Gone => Err(TargetError::new(ErrorClass::Transient)),
    }
}

/// Looks for the one record of a person: twice where a new record can be invisible for a while.
///
/// # Errors
///
/// The target's own, and [`ErrorClass::Conflict`] when there are several.
pub(crate) async fn look<T: Target + ?Sized>(
    target: &T,
    context: &Context<'_>,
    person: &Person<'_>,
) -> Result<Option<Hit>, TargetError> {
    let mut hits = target.find(context, person).await?;
    if hits.is_empty() && !target.search_lag().is_zero() {
        context.timer.sleep(target.search_lag()).await;
        hits = target.find(context, person).await?;
    }
    let first = hits.pop();
    if hits.is_empty() {
        Ok(first)
    } else {
        Err(TargetError::new(ErrorClass::Conflict))
    }
}
