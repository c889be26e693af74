"""Forms of sentences about tickets, pretix, the ledger and backups."""

from __future__ import annotations

from kiosk.dashboard.language import say_later

FORMS = (
    say_later("the ticket could not be drawn: %(cause)s. Try again."),
    # pretix (kiosk/pretix, kiosk/tickets/pretix)
    say_later("this machine is a device of pretix already: leave that one first"),
    say_later("pretix has no check-in list %(list)s in an event %(event)s for this device"),
    say_later("this machine is no device of pretix: make one there (organizer, devices), and enrol with its code"),
    say_later("%(path)s may be read by others (mode %(mode)s): chmod 600 %(same)s"),
    say_later("%(path)s is damaged (%(why)s): remove it, and enrol this device again"),
    say_later("%(path)s cannot be read: %(said_why)s. Does it belong to another user?"),
    say_later("%(path)s cannot be written: %(said_why)s. Is the disk full?"),
    say_later("pretix has no check-in list %(list)s any more in %(event)s: choose another one"),
    say_later("another check-in list was chosen meanwhile, or none"),
    say_later("a device of handshake %(number)s is newer than what we know: 1"),
    say_later("%(url)s is no address for a secret: it begins with https:// and has a name, no more"),
    say_later(
        "pretix does not take this device's code: it was used before, or is no longer good. A code whose answer was lost is used up too. Make another device in pretix and try with that one's code."
    ),
    say_later(
        'this is not the QR code of a new device, which holds {"handshake_version": 1, "url": ..., "token": ...}. Make one in pretix: organizer, devices, connect a device; security profile pretixSCAN.'
    ),
    say_later("this is no address: it begins with https://"),
    say_later("pretix did not understand a scan"),
    say_later("there is no pretix at %(url)s: is the address that of its first page, and no more?"),
    say_later("the clock of this machine is not set: scans are told when it is"),
    say_later("this server does not say when it made its page: is it pretix 3 or newer?"),
    say_later(
        "the server calls itself %(there)s, and we know it as %(here)s: the token is sent to no other address. Enrol this device with the address that pretix has in its settings."
    ),
    say_later("the server's list has no end"),
    say_later("%(host)s did not take what we sent (HTTP %(code)s)"),
    say_later("no connection"),
    say_later("its name is not found"),
    say_later("no connection within 5 s"),
    say_later("no answer within 20 s"),
    say_later("it hung up"),
    say_later("TLS failed"),
    say_later("%(host)s no longer knows this device (401): it was revoked. Enrol it again."),
    say_later(
        "%(host)s does not let this device do that (403). In pretix its security profile must be pretixSCAN, and the event one of its events."
    ),
    say_later("%(host)s knows no such event or check-in list (404): choose it again"),
    say_later("%(host)s is in trouble itself (HTTP %(code)s)"),
    say_later("%(host)s sends us elsewhere (HTTP %(code)s): is there a login page of the wifi between?"),
    say_later("%(host)s answers with more than %(most)s MB"),
    say_later("what came is no answer of pretix (%(why)s): is there a login page between?"),
    say_later("pretix answered in a form that we do not know (%(why)s)"),
    say_later(
        "%(host)s shows a certificate that is not good for it (%(said_why)s). Is there a login page of the wifi between, or a wrong clock?"
    ),
    say_later("%(host)s does not answer (%(said_why)s). Is the network there?"),
    # lists of tickets, and what is done with one ticket (kiosk/tickets, kiosk/ledger/ticket_book.py)
    say_later("%(name)s has more than the %(most)s bytes that a list may have. Is it right?"),
    say_later("%(name)s is not a file; give a list, CSV or XLSX."),
    say_later("%(name)s is empty: the first line must be the headings."),
    say_later("%(name)s has two columns named %(heading)s: rename or delete one of them."),
    say_later("%(name)s is not a CSV list: %(why)s. Export it again as CSV (UTF-8)."),
    say_later("%(name)s is a spreadsheet of an old kind, or has a password: save it as XLSX or CSV."),
    say_later("%(name)s is neither text nor a spreadsheet. Export the list again as CSV or XLSX."),
    say_later("%(name)s is in no known encoding. Export it again as CSV (UTF-8)."),
    say_later("%(name)s is not a spreadsheet that can be read. Save it again as XLSX, or export it as CSV."),
    say_later("%(name)s would be %(bytes)s bytes when unpacked. Is it the right file?"),
    say_later("%(name)s has more rows or columns than a list of tickets. Is it the right file?"),
    say_later("%(name)s: nothing was taken, mend these rows first:"),
    say_later("row %(line)s: %(said_what)s"),
    say_later("%(name)s has headings but no rows."),
    say_later("%(word)s is nothing that a ticket has; it has: %(words)s."),
    say_later("%(name)s has no column %(heading)s; it has: %(headings)s."),
    say_later(
        "%(name)s has no column that looks like a ticket code; it has: %(headings)s. "
        "Say which one it is (--column code=...), or take the list by name (--by-name)."
    ),
    say_later("%(name)s has no column with names (name, nom, first name ...); it has: %(headings)s."),
    say_later("%(count)s cells where the headings have %(columns)s"),
    say_later("a formula (%(text)s) where a value belongs: paste the list as values"),
    say_later("no code"),
    say_later("no name"),
    say_later("%(code)s was a code before a spreadsheet shortened it: format its column as text"),
    say_later("%(text)s guests: write a number from 0 to %(most)s"),
    say_later("status %(word)s is not known; use one of: %(words)s"),
    say_later("%(text)s is not a time such as 2026-11-24T18:30+01:00"),
    say_later("%(text)s has no time zone; write it as %(zoned)s+01:00 or with Z"),
    say_later("the same code as row %(line)s"),
    say_later("the source %(name)s is none of %(names)s"),
    say_later("This list is no longer at hand: it was taken already, or too long ago. Choose its file again."),
    say_later("%(name)s is UTF-8 with broken letters, the first in line %(line)s: was it cut off? Export it again."),
    say_later("%(count)s characters for %(word)s, %(most)s are the most"),
    say_later(
        "%(code)s has %(count)s digits, not Billetweb's 7 or 12: did a spreadsheet drop a zero, or is the list another system's?"
    ),
    say_later("ticket no. %(number)s has an heir, no. %(heir)s: both would be good."),
    say_later("No file was chosen, or it is empty: choose a list of tickets, .csv or .xlsx."),
    say_later(
        "The file has more than %(most)s MB. Is it the right one? The Pi itself takes larger ones: platypus tickets import FILE"
    ),
    say_later("the ledger failed (%(order)s): %(why)s. Try again when nobody writes."),
    say_later("the connection to the ledger is closed"),
    say_later("the PDF could not be made: %(why)s. Take the CSV, or try again."),
    say_later("ticket no. %(number)s is revoked already."),
    say_later("ticket no. %(number)s was not revoked here: there is nothing to give back."),
    say_later("ticket no. %(number)s is not one of ours: whoever issued it can replace it."),
    say_later("ticket no. %(number)s is %(status)s: a ticket that is good for nothing has no heir."),
    say_later("somebody is inside with ticket no. %(number)s: check them out first."),
    say_later("there is no ticket no. %(number)s in %(event)s; search for its holder again"),
    say_later(
        "pretix writes its headings in the language of whoever exports; the French and German ones are from memory: look at the columns below."
    ),
    say_later(
        "Of a bar code's 12 digits the 5th to the 11th are taken for what Billetweb's QR holds. Show one ticket to the camera before the evening."
    ),
    say_later(
        "Whether the QR of HelloAsso's tickets holds the number that this list has could not be found out. Show one ticket to the camera before the evening."
    ),
    say_later(
        "Eventbrite's attendee list has no bar codes unless its export was asked for them: without, its guests are found by name."
    ),
    say_later("Weezevent's list could not be looked at. Show one ticket to the camera before the evening."),
    say_later("Meetup has no tickets: its guests are found by name, or get tickets of our own."),
    # the ledger's answers (kiosk/ledger)
    say_later("The ledger cannot be read: %(said_why)s"),
    say_later("The ledger does not answer."),
    say_later("the ledger does not answer and nothing was counted; wait a moment, then press again"),
    say_later("%(folder)s cannot be made: %(why)s. Check state_dir."),
    say_later("%(path)s is from a newer Platypus (step %(step)s, we know %(known)s): upgrade"),
    say_later("the ledger %(path)s failed: %(why)s."),
    say_later("the ledger %(path)s failed: %(why)s. Is the disk full, or the file not ours?"),
    say_later("the rows of the older ledger do not fit together; nothing was changed"),
    say_later("a time server has set the clock; nothing was changed"),
    say_later("%(time)s has no time zone, so it is no moment"),
    say_later(
        "%(day)s cannot be: this event begins on %(start)s. Look at the phone's own clock, and whether this is tonight's event."
    ),
    say_later("%(day)s cannot be: Look at the phone's own clock, and whether this is tonight's event."),
    say_later("%(time)s UTC cannot be: %(latest)s UTC was known to be over. Look at the phone's own clock."),
    say_later("there is no ticket %(ticket)s in %(event)s; search for its holder again"),
    say_later("this guest is no longer on the waiting list; look at it again"),
    say_later("there is no row %(row)s in %(event)s"),
    say_later("only what counted can be undone"),
    say_later("a clock that was set wrong is set again, not undone"),
    say_later("this was undone already"),
    say_later("they are off the waiting list already"),
    say_later("this ticket moved again since; undo its last movement first"),
    say_later("fewer people are inside than this would take out; correct the count instead"),
    say_later("the room would be over its fire limit; if they are inside, count them with +1"),
    say_later("who waits is one person or more"),
    say_later("create it: platypus event create"),
    say_later("there are: %(known)s"),
    say_later("there is no event %(event)s in %(path)s; %(said_what)s"),
    say_later("the fire limit (%(limit)s) must be at least the seats (%(seats)s)"),
    say_later("there already is an event %(event)s; choose another name"),
    say_later("%(count)s people at once are more than any room holds; nothing was counted"),
    say_later("this page is old: nothing was counted; open it again"),
    say_later("this ticket admits %(persons)s, not %(asked)s"),
    say_later("a walk-in is one person or more"),
    # backups (kiosk/backup)
    say_later("a backup is made or read just now; wait a moment, then press again"),
    say_later("a backup runs already, with the files in %(folder)s: this one ends"),
    say_later("there is no such backup any more: choose another one"),
    say_later("there is no ledger at %(path)s: is state_dir right, and was an event made?"),
    say_later("no backup can be kept in %(folder)s: %(why)s"),
    say_later(
        "no backup could be made at %(path)s: %(why)s. Is there room, and may we read and write there? As another user: sudo platypus backup"
    ),
    say_later(
        "no backup was made of %(ledger)s: %(said_why)s. Keep the older backups, and look: platypus ledger check"
    ),
    say_later("the ledger %(ledger)s cannot be copied into a backup: %(why)s. Is the disk full?"),
    say_later("what was written could not be read back: %(said_why)s. Is the disk failing?"),
    say_later("what was written is not what is read back. Is the disk failing?"),
    say_later(
        "all together is more than %(most)s GB, with %(name)s in it: move what is not of the evening out of the state folder"
    ),
    say_later("more than %(most)s files: move what is not of the evening out of the state folder"),
    say_later("%(path)s is from a newer Platypus (step %(step)s): upgrade first"),
    say_later("%(path)s cannot be deleted (%(why)s): delete it by hand"),
    say_later("%(path)s is there already, and stays as it is: give another name"),
    say_later("%(path)s is no ledger (%(why)s)"),
    say_later("No file was chosen, or it is empty: choose a backup, platypus-backup-….zip."),
    say_later(
        "The file has more than %(most)s MB. The Pi itself takes larger ones: copy it there, then: platypus restore --check FILE"
    ),
    say_later("it is empty"),
    say_later("it is no file"),
    say_later("it is no backup of Platypus"),
    say_later("it is not whole, or no backup of Platypus: its end is missing"),
    say_later("it is damaged: its bytes are not those that were written"),
    say_later("it is damaged (%(why)s)"),
    say_later("it has %(size)s GB, more than any backup of ours"),
    say_later("it would unpack to %(size)s GB, more than any backup of ours"),
    say_later("more files are in it than in any backup of ours"),
    say_later("it has no list of its files"),
    say_later("its list of files cannot be understood (%(why)s)"),
    say_later("a file is in it twice"),
    say_later("the files in it are not those of its list"),
    say_later("there is no ledger in it"),
    say_later("%(name)s in it is no plain file"),
    say_later("%(name)s in it is no name of a file of ours"),
    say_later("%(name)s in it unpacks to more than it says"),
    say_later("%(name)s in it is damaged (%(why)s)"),
    say_later("%(name)s in it is not what was put in"),
    say_later("the ledger in it is damaged (%(why)s)"),
    say_later("the ledger in it cannot be read (%(why)s)"),
    say_later("the ledger in it does not say of which step its tables are"),
    say_later("the ledger in it is at step %(step)s, and it says %(told)s"),
    say_later("a newer Platypus made it (format %(format)s, this one knows %(known)s): upgrade first"),
    say_later("a newer Platypus made it (ledger at step %(step)s, this one knows %(known)s): upgrade first"),
)
