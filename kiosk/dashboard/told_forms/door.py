"""Forms of sentences about the door: camera, reader, panel, beams, scanners."""

from __future__ import annotations

from kiosk.dashboard.language import say_later

FORMS = (
    # the door: its camera (hardware/cameras, kiosk/door/lens.py), its reader, panel, strike, beams and scanners
    say_later("The picture is black: is the lens covered, is the light on?"),
    say_later("The picture is one flat tone: is something before the lens, or a lamp shining into it?"),
    say_later(
        'Codes are out of focus: hold them 20 to 30 cm from the camera. If that does not help, set focus = "near" in [door.camera], or turn the lens of a camera without autofocus.'
    ),
    say_later("Codes are seen but none can be read: clean the lens, and hold the code still."),
    say_later("no QR decoder is installed: run ./install.sh again (zxing-cpp, libzbar0)"),
    say_later("Something stands in the doorway's beam: nobody is counted."),
    say_later("%(name)s holds no picture track. Choose a video."),
    say_later("%(name)s ended its stream. %(said_advice)s"),
    say_later("%(name)s has no readable frame. %(said_advice)s"),
    say_later("no answer in %(limit)s s"),
    say_later("no answer in time"),
    say_later("%(name)s cannot be opened: %(said_why)s. %(said_advice)s"),
    say_later("%(name)s is damaged: %(count)s packets unreadable. %(said_advice)s"),
    say_later("%(name)s cannot be read on: %(said_why)s. %(said_advice)s"),
    say_later("%(name)s gave no picture for %(limit)s s. %(said_advice)s"),
    say_later(
        "Is it plugged in, held by another program, and is this user in the group video? See v4l2-ctl --list-devices."
    ),
    say_later("Is the camera on, on this network, and are the user and password right?"),
    say_later("%(path)s is not a file. Give the path of a video."),
    say_later("Play it with another player; if that fails too, the file is damaged."),
    say_later("%(name)s: no picture for %(limit)s s. Is its cable in and its lens free?"),
    say_later("%(name)s is closed"),
    say_later("%(name)s: its driver failed, see the log; restart the service"),
    say_later("%(name)s has been shown to its end"),
    say_later("%(name)s gave no picture for %(limit)s s. Power off and reseat its ribbon cable."),
    say_later("%(name)s failed: %(why)s. Restart the service; if it stays, see rpicam-hello --list-cameras."),
    say_later(
        "%(name)s: python3-picamera2 is missing (%(why)s). sudo apt install python3-picamera2, and run from an environment that sees the system's packages."
    ),
    say_later(
        "%(name)s is not found (%(count)s cameras found): check its ribbon cable. Power off, push it in at both ends (contacts to the board), and see rpicam-hello --list-cameras."
    ),
    say_later(
        "%(name)s cannot be opened: %(why)s. Does another program hold it (sudo fuser -v /dev/media*)? Is this user in the group video?"
    ),
    say_later("%(folder)s is not a folder. Give the path of a folder of pictures."),
    say_later("%(folder)s holds no picture (%(kinds)s). Put some there."),
    say_later("%(name)s: none of its %(count)s pictures can be read. Replace them."),
    say_later("%(path)s cannot be read as a picture: %(why)s"),
    say_later("visitors file %(path)s cannot be read: %(why)s. Write one, or choose another camera."),
    say_later("visitors file %(path)s: %(why)s. Its form is %(form)s"),
    say_later("film %(path)s cannot be written: %(why)s. Is the folder there, and is there room?"),
    say_later("the GPIO pins cannot be opened: %(why)s. %(said_advice)s"),
    say_later("the panel cannot be opened: %(why)s. %(said_advice)s"),
    say_later("the panel cannot show %(signal)s: %(why)s. %(said_advice)s"),
    say_later("the counter cannot show %(count)s: %(why)s. %(said_advice)s"),
    say_later("this panel has no strike. Give it one: [door.panel.strike]"),
    say_later("the panel is closed. Open it anew."),
    say_later(
        "Is this a Raspberry Pi, is python3-lgpio installed, is this user in the group gpio, does another program hold the pins (gpioinfo names it), and does LG_WD name a folder that can be written?"
    ),
    say_later("the libraries for displays are not here: pip install 'platypus-venue[displays]'"),
    say_later("the libraries for displays are not here: pip install 'platypus-venue[displays]' (%(why)s)"),
    say_later("Is SPI switched on (dtparam=spi=on), and is this user in the group spi?"),
    say_later(
        "Is I2C switched on (dtparam=i2c_arm=on), is this user in the group i2c, and does `i2cdetect -y 1` show it?"
    ),
    say_later("%(line)s is too long for a display of %(width)s pixels. Shorten it."),
    say_later("the MAX7219 on SPI %(port)s does not open: %(why)s. %(said_advice)s"),
    say_later("the OLED on I2C %(port)s, address %(address)s, does not open: %(why)s. %(said_advice)s"),
    say_later("the line does not answer"),
    say_later("an earlier release runs for %(duration)s s more. Try again when it is over."),
    say_later("hold_s is not a number: nothing was released"),
    say_later("the strike is closed. Open the panel anew."),
    say_later("the strike cannot be released: %(why)s. %(said_now)s; look at its relay and its pin."),
    say_later("It was locked again"),
    say_later("It may be free still, and is tried again until it locks"),
    say_later(
        "the beams and the exit button cannot be opened: %(why)s. Does another program hold the pins (gpioinfo names it), and is this user in the group gpio?"
    ),
    say_later("the beams and the exit button can no longer be read: %(why)s. Restart the door"),
    say_later("the doorway's pins are closed. Open them anew."),
    say_later("Is it plugged in, and is this user in the group input?"),
    say_later("the scanner %(path)s cannot be opened: %(why)s. %(said_advice)s"),
    say_later("%(name)s is gone: %(why)s. Plug it in again."),
    say_later("%(name)s is gone. Plug it in again."),
    say_later(
        "the scanner %(name)s (%(path)s) cannot be had for us alone: %(why)s. Does another program hold it, or is this path no input device? With grab = false it is shared."
    ),
    say_later("no scanner's name contains %(part)s; keyboards that are there: %(names)s. %(said_advice)s"),
    say_later("the scanner is closed. Open it anew."),
    say_later("the scanner is being opened"),
    say_later("the scanner's driver failed: %(why)s. Restart the door."),
)
