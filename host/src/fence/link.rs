//! Answers the imports that [`super::fence`] renamed.
//!
//! 1. Every instance import with the fence's prefix gets all its functions, by the component's own
//!    types and the rows of [`super::refusal`]; resources it declares are [`Denied`].
//! 2. A call gives back whatever handles it was given, as the real function would have, so that
//!    refused calls leave nothing behind in the store.
//! 3. A function with no row, or whose type has no room for its refusal, fails the link: the
//!    start stops there rather than the guest later.

use anyhow::Context as _;
use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{
    Access, Accessor, Component, Linker, LinkerInstance, Resource, ResourceAny, ResourceType, Type,
    Val,
};
use wasmtime::{AsContextMut, StoreContextMut};
use wasmtime_wasi::p2::Network;
use wasmtime_wasi_http::p2::types::HostOutgoingRequest;
use wasmtime_wasi_http::p3::Request;
use wasmtime_wasi_http::p3::bindings::http::types::HostRequestWithStore;
use wasmtime_wasi_http::{RequestOptions, WasiHttp, WasiHttpView};

use super::PREFIX;
use super::refusal::{self, Refusal};

/// The type of every resource that a fenced interface declares. No capability is behind it.
#[derive(Debug)]
pub struct Denied;

/// Defines in `linker` everything that `component` imports under the fence's prefix.
///
/// One linker may serve several components: a later definition replaces an equal earlier one.
/// Afterwards the linker refuses shadowing again.
///
/// # Errors
/// When a fenced function has no refusal that fits its type.
pub fn link<T: WasiHttpView + 'static>(
    linker: &mut Linker<T>,
    component: &Component,
) -> anyhow::Result<()> {
    linker.allow_shadowing(true);
    let linked = link_imports(linker, component);
    linker.allow_shadowing(false);
    linked
}

fn link_imports<T: WasiHttpView + 'static>(
    linker: &mut Linker<T>,
    component: &Component,
) -> anyhow::Result<()> {
    let engine = linker.engine().clone();
    let ty = component.component_type();
    // Resources seen so far, in the order of declaration: a resource that shows up again is a
    // `use` of the first, and must not be declared a second time.
    let mut seen = Vec::new();
    for (name, import) in ty.imports(&engine) {
        let items: Vec<_> = match import.ty {
            ComponentItem::ComponentInstance(instance) => instance
                .exports(&engine)
                .map(|(item, export)| (item.to_owned(), export.ty))
                .collect(),
            ComponentItem::Resource(resource) => {
                seen.push(resource);
                continue;
            }
            _ => continue,
        };
        let fenced = name.strip_prefix(PREFIX);
        for (item, ty) in items {
            match ty {
                ComponentItem::Resource(resource) if !seen.contains(&resource) => {
                    seen.push(resource);
                    if fenced.is_some() {
                        let denied = ResourceType::host::<Denied>();
                        linker
                            .instance(name)?
                            .resource(&item, denied, |_, _| Ok(()))?;
                    }
                }
                ComponentItem::ComponentFunc(ty) => {
                    if let Some(interface) = fenced {
                        define(&mut linker.instance(name)?, interface, &item, &ty).with_context(
                            || format!("cannot fence {interface}, function {item}"),
                        )?;
                    }
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Defines one function of a fenced interface.
fn define<T: WasiHttpView + 'static>(
    instance: &mut LinkerInstance<'_, T>,
    interface: &str,
    name: &str,
    ty: &ComponentFunc,
) -> anyhow::Result<()> {
    let refusal = refusal::of(interface, name).context("no refusal is known for it")?;
    check(refusal, interface, ty)?;
    let interface = interface.to_owned();
    if ty.async_() {
        instance.func_new_concurrent(
            name,
            move |accessor: &Accessor<T>, ty, arguments, results| {
                let interface = interface.clone();
                Box::pin(async move {
                    let accessor = accessor.with_getter::<WasiHttp>(|state| state.http());
                    accessor.with(|mut access| {
                        for argument in arguments {
                            give_back_async(&mut access, argument)?;
                        }
                        let handle = || wasmtime::bail!("an async constructor cannot be fenced");
                        answer(refusal, &interface, &ty, arguments, results, handle)
                    })
                })
            },
        )?;
    } else {
        instance.func_new(name, move |mut store, ty, arguments, results| {
            for argument in arguments {
                give_back(&mut store, argument)?;
            }
            let handle = || Resource::<Denied>::new_own(0).try_into_resource_any(&mut store);
            answer(refusal, &interface, &ty, arguments, results, handle)
        })?;
    }
    Ok(())
}

/// Fails when calls of type `ty` could not be answered with `refusal`.
fn check(refusal: Refusal, interface: &str, ty: &ComponentFunc) -> anyhow::Result<()> {
    match refusal {
        Refusal::Unreachable => Ok(()),
        Refusal::Handle if !ty.async_() && matches!(ty.results().next(), Some(Type::Own(_))) => {
            Ok(())
        }
        _ => refusal
            .value(interface, ty, &[Val::String(String::new())])
            .map(drop),
    }
}

/// Writes the refusal to `results`.
fn answer(
    refusal: Refusal,
    interface: &str,
    ty: &ComponentFunc,
    arguments: &[Val],
    results: &mut [Val],
    handle: impl FnOnce() -> wasmtime::Result<ResourceAny>,
) -> wasmtime::Result<()> {
    let value = match refusal {
        Refusal::Unreachable => {
            wasmtime::bail!("a handle of the fenced {interface} was used, and nobody has one")
        }
        Refusal::Handle => Some(Val::Resource(handle()?)),
        refusal => refusal
            .value(interface, ty, arguments)
            .map_err(wasmtime::Error::from_anyhow)?,
    };
    if let (Some(value), Some(result)) = (value, results.first_mut()) {
        *result = value;
    }
    Ok(())
}

/// Takes the handles out of an argument of a synchronous call and drops them.
fn give_back<T: WasiHttpView>(
    store: &mut StoreContextMut<'_, T>,
    argument: &Val,
) -> wasmtime::Result<()> {
    match argument {
        Val::Option(Some(inner)) => give_back(store, inner),
        Val::Resource(handle) if is::<HostOutgoingRequest>(handle) => {
            let request = handle.try_into_resource::<HostOutgoingRequest>(&mut *store)?;
            store.data_mut().http().table.delete(request)?;
            Ok(())
        }
        Val::Resource(handle) if is::<RequestOptions>(handle) => {
            let options = handle.try_into_resource::<RequestOptions>(&mut *store)?;
            store.data_mut().http().table.delete(options)?;
            Ok(())
        }
        argument => give_back_plain(store, argument),
    }
}

/// The same for an asynchronous call.
fn give_back_async<T: WasiHttpView + 'static>(
    access: &mut Access<'_, T, WasiHttp>,
    argument: &Val,
) -> wasmtime::Result<()> {
    match argument {
        Val::Resource(handle) if is::<Request>(handle) => {
            let request = handle.try_into_resource::<Request>(&mut *access)?;
            // A request holds the reading end of its body, which the guest waits on.
            let access = Access::new(access.as_context_mut(), |state: &mut T| state.http());
            <WasiHttp as HostRequestWithStore<T>>::drop(access, request)?;
            Ok(())
        }
        argument => give_back_plain(access, argument),
    }
}

/// Handles that have nothing behind them, and a plain value's nothing.
fn give_back_plain(store: impl AsContextMut, argument: &Val) -> wasmtime::Result<()> {
    match argument {
        Val::Resource(handle) if is::<Denied>(handle) => {
            handle.try_into_resource::<Denied>(store)?;
        }
        Val::Resource(handle) if is::<Network>(handle) && !handle.owned() => {
            handle.try_into_resource::<Network>(store)?;
        }
        Val::Resource(handle) => {
            wasmtime::bail!("a fenced function was given a handle of {:?}", handle.ty())
        }
        _ => {}
    }
    Ok(())
}

fn is<R: 'static>(handle: &ResourceAny) -> bool {
    handle.ty() == ResourceType::host::<R>()
}
