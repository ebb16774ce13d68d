"""Every page: method, path, what answers, who may open it, and what shows a refused form again."""

from __future__ import annotations

from admin_api.pages import card, importing, mailings, members, operations, people, public, settings, writing
from admin_api.pages.page import LOG_IN, Access, Page

HERE = "/f/{slug:slug}"
MAILING = HERE + "/utskick/{mailing_id:number}"
CARD = HERE + "/kort/{card_id:number}"

PAGES = (
    Page("GET", "/", people.home, Access.PERSON),
    Page("GET", LOG_IN, people.show_login, Access.PUBLIC),
    Page("POST", LOG_IN, people.log_in, Access.PUBLIC, own_transactions=True),
    Page("POST", "/logga-ut", people.log_out, Access.PERSON),
    Page("GET", "/losenord", people.show_password, Access.PERSON),
    Page("POST", "/losenord", people.change_password, Access.PERSON, people.show_password, own_transactions=True),
    Page("GET", "/foreningar", people.show_associations, Access.OPERATOR),
    Page("GET", HERE + "/medlemslista", members.show_list),
    Page("GET", HERE + "/medlemslista.csv", members.export),
    Page("POST", HERE + "/vyer", members.save_view, again=members.show_list),
    Page("POST", HERE + "/vyer/{view_id:number}/ta-bort", members.remove_view),
    Page("GET", HERE + "/kort/nytt", card.show_new),
    Page("POST", HERE + "/kort/nytt", card.add, again=card.show_new),
    Page("GET", CARD, card.show),
    Page("POST", CARD, card.change, again=card.show),
    Page("POST", CARD + "/ta-bort", card.remove),
    Page("GET", HERE + "/import", importing.show),
    Page("POST", HERE + "/import", importing.take, again=importing.show, takes_file=True),
    Page("GET", HERE + "/bekraftelse", writing.show_request),
    Page("POST", HERE + "/bekraftelse", writing.request, again=writing.show_request),
    Page("GET", HERE + "/medlemsutskick", mailings.show_list),
    Page("GET", HERE + "/utskick/nytt", writing.show_new),
    Page("POST", HERE + "/utskick/nytt", writing.add, again=writing.show_new),
    Page("GET", MAILING, mailings.show),
    Page("GET", MAILING + ".csv", mailings.export),
    Page("GET", MAILING + "/andra", writing.show_draft),
    Page("POST", MAILING + "/andra", writing.change, again=writing.show_draft),
    Page("POST", MAILING + "/ta-bort", writing.remove),
    Page("GET", MAILING + "/forhandsgranska", writing.show_preview),
    Page("GET", MAILING + "/brev/{card_id:number}", writing.show_letter),
    Page("POST", MAILING + "/skicka", writing.send, again=writing.lead_on),
    Page("POST", MAILING + "/pausa", mailings.pause),
    Page("POST", MAILING + "/fortsatt", mailings.resume),
    Page("POST", MAILING + "/avbryt", mailings.cancel),
    Page("GET", MAILING + "/varfor/{card_id:number}", mailings.why),
    Page("GET", HERE + "/installningar", settings.show),
    Page("POST", HERE + "/installningar", settings.add_office, again=settings.show),
    Page("GET", "/drift", operations.show, Access.OPERATOR),
    Page("POST", "/drift/platser/{name:site}/oppna", operations.resume_site, Access.OPERATOR),
    Page("POST", "/drift/larm/{alert_id:number}/stang", operations.close_alert, Access.OPERATOR),
    Page("GET", "/drift/returer", operations.show_reports, Access.OPERATOR),
    Page("GET", "/drift/returer/{report_id:number}", operations.show_report, Access.OPERATOR),
    Page("GET", "/c/{token:token}", public.show_confirmation, Access.LINK),
    Page("POST", "/c/{token:token}", public.take_confirmation, Access.LINK),
    Page("GET", "/u/{token:token}", public.show_unsubscription, Access.LINK),
    Page("POST", "/u/{token:token}", public.take_unsubscription, Access.LINK),
)
