"""Forms of the admin, as a browser sends them."""

from django.urls import reverse


def form_of(response, **changes):
    """What a browser would post back: the page's own values, and the changes."""
    context = response.context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    data = {}
    for form in forms:
        for name, field in form.fields.items():
            bound = form[name]
            value = bound.value()
            if hasattr(field.widget, "decompress"):
                parts = field.widget.decompress(value)
                data |= {f"{bound.html_name}_{i}": p for i, p in enumerate(parts)}
            elif value is not None and value is not False:
                data[bound.html_name] = value
            if field.show_hidden_initial:
                parts = field.hidden_widget().decompress(value)
                data |= {
                    f"{bound.html_initial_name}_{i}": p for i, p in enumerate(parts)
                }
    return {k: "" if v is None else v for k, v in (data | changes).items()}


def save(admin_client, row, **changes):
    url = reverse(f"admin:routing_{row._meta.model_name}_change", args=(row.pk,))
    data = form_of(admin_client.get(url), **changes)
    response = admin_client.post(url, data, follow=True)
    row.refresh_from_db()
    return response


def errors(response):
    return response.context["adminform"].form.errors
