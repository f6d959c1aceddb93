"""Forgetting what was said with a key, everywhere it is kept."""

from django.db import transaction

from gateway.models import ApiKey, CachePurge, RequestContent, StoredAnswer


def erase(key: ApiKey) -> int:
    """Delete the stored texts of a key's requests and the answers cached in its scope;
    returns how many requests it were.

    Workers drop what they have in memory within a second. A cache belongs to the whole
    scope, so keys of the same team buy their answers anew.
    """
    with transaction.atomic():
        kept = RequestContent.objects.filter(key_id=key.pk)
        erased: int = kept.delete()[0]
        StoredAnswer.objects.filter(scope=key.scope).delete()
        CachePurge.objects.create(scope=key.scope)
    return erased
