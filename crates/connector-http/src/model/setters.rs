//! One consuming setter per optional field, so that every request type reads the same.

/// Writes the setters of a request struct.
///
/// By the field's type: `Option<T>` takes `impl Into<T>` and sets `Some`; `Patch<T>` takes `impl Into<T>` and sets
/// [`Patch::Set`](crate::Patch::Set), and with `| clear_name` a second method empties the field; `Vec<T>` takes
/// anything that iterates over `impl Into<T>`; any other type takes `impl Into` itself.
///
/// ```
/// use connector_http::Patch;
///
/// #[derive(Default)]
/// #[non_exhaustive]
/// pub struct Change {
///     pub name: Option<String>,
///     pub role: Patch<String>,
///     pub tags: Vec<String>,
///     pub count: u32,
/// }
///
/// connector_http::setters! { Change {
///     /// Sets the name.
///     name: Option<String>,
///     /// Sets the role.
///     role: Patch<String> | clear_role,
///     /// Sets the tags.
///     tags: Vec<String>,
///     /// Sets the count.
///     count: u32,
/// } }
///
/// let change = Change::default().name("n").role("r").tags(["a", "b"]).count(3_u8);
/// assert_eq!(change.name.as_deref(), Some("n"));
/// assert_eq!(change.role, Patch::Set("r".to_owned()));
/// assert_eq!(change.clear_role().role, Patch::Clear);
/// ```
#[macro_export]
macro_rules! setters {
    ($name:ident { $($fields:tt)* }) => {
        impl $name {
            $crate::setters!(@each $($fields)*);
        }
    };
    (@each) => {};
    (@each $(#[$meta:meta])* $field:ident : Option<$type:ty> $(, $($rest:tt)*)?) => {
        $(#[$meta])*
        #[must_use]
        pub fn $field(mut self, value: impl ::std::convert::Into<$type>) -> Self {
            self.$field = ::std::option::Option::Some(value.into());
            self
        }
        $($crate::setters!(@each $($rest)*);)?
    };
    (@each $(#[$meta:meta])* $field:ident : Patch<$type:ty> | $clear:ident $(, $($rest:tt)*)?) => {
        $(#[$meta])*
        #[must_use]
        pub fn $field(mut self, value: impl ::std::convert::Into<$type>) -> Self {
            self.$field = $crate::Patch::Set(value.into());
            self
        }

        #[doc = ::std::concat!("Empties `", ::std::stringify!($field), "`.")]
        #[must_use]
        pub fn $clear(mut self) -> Self {
            self.$field = $crate::Patch::Clear;
            self
        }
        $($crate::setters!(@each $($rest)*);)?
    };
    (@each $(#[$meta:meta])* $field:ident : Patch<$type:ty> $(, $($rest:tt)*)?) => {
        $(#[$meta])*
        #[must_use]
        pub fn $field(mut self, value: impl ::std::convert::Into<$type>) -> Self {
            self.$field = $crate::Patch::Set(value.into());
            self
        }
        $($crate::setters!(@each $($rest)*);)?
    };
    (@each $(#[$meta:meta])* $field:ident : Vec<$type:ty> $(, $($rest:tt)*)?) => {
        $(#[$meta])*
        #[must_use]
        pub fn $field<I>(mut self, values: I) -> Self
        where
            I: ::std::iter::IntoIterator,
            I::Item: ::std::convert::Into<$type>,
        {
            self.$field = values.into_iter().map(::std::convert::Into::into).collect();
            self
        }
        $($crate::setters!(@each $($rest)*);)?
    };
    (@each $(#[$meta:meta])* $field:ident : $type:ty $(, $($rest:tt)*)?) => {
        $(#[$meta])*
        #[must_use]
        pub fn $field(mut self, value: impl ::std::convert::Into<$type>) -> Self {
            self.$field = value.into();
            self
        }
        $($crate::setters!(@each $($rest)*);)?
    };
}
