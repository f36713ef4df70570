"""The API of the Django resource servers: one view, by the settings and by the strict classes."""

from django.conf import settings
from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView

from gateward_auth import GatewardAuthentication, GatewardStatelessAuthentication


class Me(APIView):
    """Responds with the user of the token."""

    def get(self, request):
        return Response({"id": str(request.user.pk), "username": request.user.get_username()})


class StrictMe(Me):
    authentication_classes = [
        GatewardAuthentication if settings.DATABASES.get("default", {}).get("NAME")
        else GatewardStatelessAuthentication
    ]


urlpatterns = [path("settings", Me.as_view()), path("strict", StrictMe.as_view())]
