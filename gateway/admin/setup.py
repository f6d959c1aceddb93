"""The page behind the one-time link: a name, a password, and you are in."""

from django.contrib import admin, messages
from django.contrib.auth import login
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods
from unfold.widgets import BASE_INPUT_CLASSES

from gateway.key_rows import digest_of
from gateway.setup_link import is_valid, use_up

DIGEST = "setup_token_digest"  # in the session


class AdministratorForm(UserCreationForm):
    class Meta:
        model = User
        fields = ("username",)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.instance.is_staff = self.instance.is_superuser = True
        for field in self.fields.values():
            field.widget.attrs["class"] = " ".join(BASE_INPUT_CLASSES)


@never_cache
@require_GET
def setup_link(request: HttpRequest, token: str) -> HttpResponseRedirect:
    """Take the token out of the address, so that no log or Referer repeats it."""
    digest = digest_of(token)
    if is_valid(digest, timezone.now()):
        request.session[DIGEST] = digest
    return redirect("setup")


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    digest = request.session.get(DIGEST, "")
    if not is_valid(digest, timezone.now()):
        return page(request, "admin/setup_gone.html", status=404)
    form = AdministratorForm(request.POST or None)
    if not form.is_valid():
        return page(request, "admin/setup.html", form=form)
    with transaction.atomic():
        if not use_up(digest, timezone.now()):
            return page(request, "admin/setup_gone.html", status=404)
        user = form.save()
    del request.session[DIGEST]
    login(request, user)
    messages.success(request, "Welcome. The link that brought you here is used up.")
    return redirect("admin:index")


def page(
    request: HttpRequest, template: str, *, status: int = 200, **context: object
) -> HttpResponse:
    return render(
        request,
        template,
        {**admin.site.each_context(request), "title": "First steps", **context},
        status=status,
    )
