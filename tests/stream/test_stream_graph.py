"""Every command line, word for word."""

from __future__ import annotations

import itertools
import shlex
from pathlib import Path

import msgspec
import pytest
from stream_stage import SMALL

from stream import copies, graph
from stream.settings import (
    CameraModule,
    Destination,
    NetworkCamera,
    Picture,
    StreamSettings,
    TestPicture,
    VideoDevice,
    VideoFile,
)

GLOBAL = shlex.split("-nostdin -hide_banner -nostats -loglevel level+info -stats_period 0.5 -progress pipe:1")
LOOK_OF_CAMERA = (
    "[0:v]fps=15[s0];[s0]scale=320:180:force_original_aspect_ratio=decrease[s1];[s1]pad=320:180:-1:-1[s2];"
    "[s2]format=yuv420p[s3];[s3]setsar=1[s4];"
    "[s4]setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv[s5]"
)
FORMAT = (
    f"{LOOK_OF_CAMERA};[1:a]asetnsamples=n=2400:p=0[s6];"
    "[s6]astats=measure_overall=none:measure_perchannel=Peak_level+RMS_level:metadata=1:reset=1[s7];"
    "[s7]ametadata=print:direct=1:file=pipe\\\\:5[s8];[s8]aresample=48000:async=1000:first_pts=0[s9]"
)
OUT = shlex.split(
    "-map [s5] -map [s9] -f mpegts -ac 2 -acodec aac -ar 48000 -b:a 64k -b:v 300k "
    "-bufsize 300k -flush_packets 1 -g 15 -keyint_min 15 -level 3.1 -maxrate 300k "
    "-muxdelay 0 -muxpreload 0 -pat_period 0.5 -pes_payload_size 0 -pix_fmt yuv420p "
    "-preset ultrafast -profile:v main -sc_threshold 0 -tune zerolatency -vcodec libx264 "
    "pipe:4"
)
SILENCE = shlex.split("-f lavfi -i anullsrc=channel_layout=stereo:sample_rate=48000")
OWN_SOUND = FORMAT.replace("[1:a]", "[0:a]")


@pytest.mark.parametrize(
    ("source", "inputs", "graph_text"),
    [
        (
            TestPicture(),
            shlex.split(
                "-f lavfi -re -i testsrc2=size=320x180:rate=15 -f lavfi -re -i sine=frequency=440:sample_rate=48000"
            ),
            FORMAT,
        ),
        (
            NetworkCamera(url="rtsp://cam/1"),
            shlex.split("-rtsp_transport tcp -timeout 5000000 -i rtsp://cam/1"),
            OWN_SOUND,
        ),
        (VideoFile(path="/films/a b.mp4"), shlex.split("-re -stream_loop -1 -i '/films/a b.mp4'"), OWN_SOUND),
    ],
)
def test_each_source_is_brought_to_one_format(
    source: TestPicture | NetworkCamera | VideoFile, inputs: list[str], graph_text: str
) -> None:
    argv = graph.encoder(source, SMALL, out_fd=4, levels_fd=5)
    assert argv == ["ffmpeg", *inputs, "-filter_complex", graph_text, *OUT, *GLOBAL]


def test_a_devices_lower_third_is_read_from_now_on_and_not_from_the_start_of_its_clock() -> None:
    argv = graph.encoder(VideoDevice(), SMALL, out_fd=4, lower_third=Path("/run/third"), at_s=14_000.25)
    still = argv[: argv.index("/run/third")]
    assert still[still.index("-itsoffset") + 1] == "14000.250"
    assert "-itsoffset" not in graph.encoder(TestPicture(), SMALL, out_fd=4, lower_third=Path("/a"), at_s=9.0)


def test_the_watched_source_gives_small_grey_pictures_ahead_of_time_and_only_then() -> None:
    argv = graph.encoder(TestPicture(), SMALL, out_fd=4, watch_fd=5)
    small = r"select=not(mod(n\,7))[s8];[s8]setpts=PTS+1/TB[s9];[s9]scale=160:90:flags=area[s10];[s10]format=gray[s11]"
    assert argv[argv.index("-filter_complex") + 1].endswith(small)
    assert " ".join(argv).endswith(
        f"pipe:4 -map [s11] -f rawvideo -flush_packets 1 -fps_mode vfr pipe:5 {' '.join(GLOBAL)}"
    )


def without_sound(out: list[str]) -> list[str]:
    kept = " ".join(out).replace("-map [s9] ", "").replace("-ac 2 -acodec aac -ar 48000 -b:a 64k ", "")
    return kept.split()


@pytest.mark.parametrize("source", [NetworkCamera(url="rtsp://cam/1"), VideoFile(path="/films/mute.mp4")])
def test_a_source_without_sound_gives_its_picture_alone(source: NetworkCamera | VideoFile) -> None:
    argv = graph.encoder(source, SMALL, out_fd=4)
    at = argv.index("-filter_complex") + 1
    assert argv[at:] == [LOOK_OF_CAMERA, *without_sound(OUT), *GLOBAL]


def test_a_device_gives_its_picture_with_its_stamps_and_its_microphone_is_no_business_of_it() -> None:
    inputs = "-f v4l2 -video_size 320x180 -framerate 15 -input_format mjpeg -thread_queue_size 32 -i /dev/video0"
    expected = ["ffmpeg", *inputs.split(), "-filter_complex", LOOK_OF_CAMERA, *without_sound(OUT), *GLOBAL, "-copyts"]
    assert graph.encoder(VideoDevice(path="/dev/video0"), SMALL, out_fd=4) == expected
    assert graph.encoder(VideoDevice(path="/dev/video0", microphone="hw:1,0"), SMALL, out_fd=4) == expected


def test_the_hardware_encoder_is_given_only_what_it_knows_in_camera_slate_and_low_rate_alike() -> None:
    hardware = msgspec.structs.replace(SMALL, encoder="hardware")
    theirs = "-b:v {}k -g {} -pix_fmt yuv420p -profile:v 77 -vcodec h264_v4l2m2m"
    made = [
        graph.encoder(VideoDevice(), hardware, out_fd=4),
        graph.slate([Path("/a.png")], hardware, out=Path("/run/s.ts")),
        graph.transcoder(hardware, out_fd=4),
    ]
    known = {"-b:v", "-g", "-pix_fmt", "-profile:v", "-vcodec"}
    of_x264 = {"-preset", "-tune", "-level", "-sc_threshold", "-keyint_min", "-maxrate", "-bufsize", "-x264-params"}
    for argv, kbps, group in zip(made, (300, 300, SMALL.low_kbps), (15, 15, 15), strict=True):
        pairs = dict(itertools.pairwise(argv))
        assert " ".join(f"{name} {pairs[name]}" for name in sorted(known)) == theirs.format(kbps, group)
        assert not of_x264 & set(argv)


def test_the_pre_flights_slate_is_filled_up_by_x264_whatever_encodes_the_stream() -> None:
    hardware = msgspec.structs.replace(SMALL, encoder="hardware")
    argv = graph.slate([Path("/a.png")], hardware, out=Path("/run/s.ts"), constant_kbps=400)
    assert {"libx264", "nal-hrd=cbr"} <= set(argv)


def test_a_camera_modules_pictures_come_through_a_pipe_with_their_stamps_and_are_not_waited_for() -> None:
    inputs = "-f nut -analyzeduration 0 -fpsprobesize 0 -probesize 32 -i pipe:7"
    expected = ["ffmpeg", *inputs.split(), "-filter_complex", LOOK_OF_CAMERA, *without_sound(OUT), *GLOBAL, "-copyts"]
    assert graph.encoder(CameraModule(microphone="hw:1,0"), SMALL, out_fd=4, frames_fd=7) == expected


def test_a_microphone_is_stamped_by_the_monotonic_clock_and_begins_with_a_whole_frame_since_boot() -> None:
    argv = graph.microphone("hw:1,0", SMALL, out_fd=4, levels_fd=5, at_s=100.0, wall_ahead_s=1_790_000_000.25)
    heard = (
        "[0:a]asetnsamples=n=2400:p=0[s0];"
        "[s0]astats=measure_overall=none:measure_perchannel=Peak_level+RMS_level:metadata=1:reset=1[s1];"
        "[s1]ametadata=print:direct=1:file=pipe\\\\:5[s2];[s2]aresample=48000:async=1000:first_pts=4799488[s3]"
    )
    assert argv == [
        "ffmpeg",
        *shlex.split("-f alsa -itsoffset -1790000000.250000 -thread_queue_size 512 -i hw:1,0 -filter_complex"),
        heard,
        *shlex.split("-map [s3] -f mpegts -ac 2 -acodec aac -ar 48000 -b:a 64k -flush_packets 1 -muxdelay 0"),
        *shlex.split("-muxpreload 0 -pat_period 0.5 -pes_payload_size 0 pipe:4"),
        *GLOBAL,
        "-copyts",
    ]
    assert 4799488 % 1024 == 0


LOOK = (
    "scale=320:180:force_original_aspect_ratio=decrease:out_color_matrix=bt709[s{1}];[s{1}]pad=320:180:-1:-1[s{2}];"
    "[s{2}]format=yuv420p[s{3}];[s{3}]setsar=1[s{4}];"
    "[s{4}]setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv[s{5}];[s{5}]loop=loop=-1:size=1"
)


def test_a_slate_shows_its_pictures_in_turn_and_is_encoded_as_the_camera_is() -> None:
    argv = graph.slate([Path("/slates/a 1.png"), Path("/slates/b%d.png")], SMALL, out=Path("/run/s.ts"))
    first, second = (LOOK.format(*range(start, start + 6)) for start in (-1, 7))
    graph_text = (
        f"[0:v]{first}[s5];[s5]trim=end_frame=60:start_frame=0[s6];[s6]setpts=PTS-STARTPTS[s7];"
        f"[1:v]{second}[s13];[s13]trim=end_frame=120:start_frame=60[s14];[s14]setpts=PTS-STARTPTS[s15];"
        "[s7][s15]concat=a=0:n=2:v=1[s16];[2:a]atrim=end_sample=382976[s17]"
    )
    assert argv == [
        "ffmpeg",
        *shlex.split("-f image2 -framerate 15 -pattern_type none -i '/slates/a 1.png'"),
        *shlex.split("-f image2 -framerate 15 -pattern_type none -i /slates/b%d.png"),
        *SILENCE,
        "-filter_complex",
        graph_text,
        *shlex.split(" ".join(OUT[:-1]).replace("[s5]", "[s16]").replace("[s9]", "[s17]")),
        "/run/s.ts",
        *GLOBAL,
        "-y",
    ]


@pytest.mark.parametrize("count", [0, 121])
def test_a_slate_needs_a_picture_and_no_more_than_it_has_frames(count: int) -> None:
    with pytest.raises(ValueError, match=f"has {count} pictures: it can have 1 to 120"):
        graph.slate([Path("/a.png")] * count, SMALL, out=Path("/run/s.ts"))


def test_the_pusher_copies_and_does_not_know_the_key_by_its_command_line() -> None:
    argv = copies.pusher(Destination(name="hall", url="rtmp://host/live/room/?auth=1"), key_fd=9)
    assert argv == [
        "ffmpeg",
        *shlex.split("-f mpegts -analyzeduration 500000 -copyts -fpsprobesize 0 -probesize 300000 -i pipe:0"),
        *shlex.split("-map 0:v -map 0:a -f flv -codec copy -flvflags no_duration_filesize -fpre /dev/fd/9"),
        *shlex.split("-rw_timeout 5000000 -send_buffer_size 131072"),
        "rtmp://host/live/room",
        *GLOBAL,
    ]
    said = copies.key_file("rtmp://host/live/room/?auth=1", "abc-123?x=y")
    assert said == b"rtmp_app=live/room?auth=1\nrtmp_playpath=abc-123?x=y\n"


def test_a_padded_slate_fills_the_rate_it_is_meant_to_try() -> None:
    argv = graph.slate([Path("/a.png")], SMALL, out=Path("/run/s.ts"), constant_kbps=500)
    assert argv[argv.index("-b:v") + 1] == "500k"
    assert argv[argv.index("-x264-params") + 1] == "nal-hrd=cbr"


def test_the_transcoder_makes_the_video_smaller_and_leaves_times_and_sound_as_they_are() -> None:
    argv = graph.transcoder(SMALL, out_fd=4)
    rates = " ".join(OUT[:-1]).replace("300k", "600k").replace("-map [s5] -map [s9]", "-map 0:v -map 0:a")
    sound = rates.replace("-ac 2 -acodec aac -ar 48000 -b:a 64k", "-acodec copy")
    assert argv == [
        "ffmpeg",
        *shlex.split("-f mpegts -analyzeduration 500000 -copyts -fpsprobesize 0 -probesize 300000 -i pipe:0"),
        *shlex.split(sound),
        *shlex.split("-vsync passthrough pipe:4"),
        *GLOBAL,
    ]


def test_over_tls_the_server_must_prove_who_it_is() -> None:
    argv = copies.pusher(Destination(name="hall", url="rtmps://host/live"), key_fd=9)
    assert argv[argv.index("-tls_verify") + 1] == "1"
    assert argv[argv.index("-ca_file") + 1] == "/etc/ssl/certs/ca-certificates.crt"
    argv = copies.pusher(Destination(name="hall", url="rtmps://host/live", ca_file="/etc/own.pem"), key_fd=9)
    assert argv[argv.index("-ca_file") + 1] == "/etc/own.pem"


def test_the_viewer_copies_into_nothing_and_gives_up_on_silence() -> None:
    argv = copies.viewer("rtmp://host/live/x", seconds=3)
    assert argv == [
        "ffmpeg",
        *shlex.split("-rw_timeout 5000000 -i rtmp://host/live/x -map 0:v -f null -codec copy -t 3 -"),
        *GLOBAL,
    ]


@pytest.mark.parametrize(
    ("size", "frames_per_s", "level"),
    [
        ((320, 180), 15, "3.1"),
        ((1280, 720), 30, "3.1"),
        ((1280, 720), 60, "3.2"),
        ((1920, 1080), 30, "4.0"),
        ((1920, 1080), 60, "4.2"),
    ],
)
def test_the_level_is_the_lowest_that_holds_the_picture(size: tuple[int, int], frames_per_s: int, level: str) -> None:
    assert graph.h264_level(Picture(width_px=size[0], height_px=size[1], frames_per_s=frames_per_s)) == level


def test_a_cameras_password_is_a_secret() -> None:
    secrets = graph.secrets_of(NetworkCamera(url="rtsp://me:hunter2@cam/1?token=t"))
    assert set(secrets) == {"me:hunter2", "hunter2", "token=t"}
    assert graph.secrets_of(TestPicture()) == ()


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://[bad/x",
        "not an address",
        "rtsp://",
        "rtsp://cam:99999/1",
        "http://cam/1",
        "rtsp://cam/1\n",
        "rtsp://a b/1",
    ],
)
def test_a_cameras_address_that_is_none_is_refused_with_the_configuration(url: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"url is not an address such as rtsp://.* - at `\$\.source`"):
        msgspec.convert({"source": {"kind": "rtsp", "url": url}}, StreamSettings)


@pytest.mark.parametrize("url", ["rtmp://[x/live", "rtmp://host:port/live", "rtmp://:1935/live", "rtmp://host/live\n"])
def test_a_destinations_address_that_is_none_is_refused_with_the_configuration(url: str) -> None:
    with pytest.raises(
        msgspec.ValidationError, match=r"url is not an address such as rtmp://.* - at `\$\.dest.*\[0\]`"
    ):
        msgspec.convert({"destinations": [{"name": "hall", "url": url}]}, StreamSettings)


@pytest.mark.parametrize("password", ["hush/hush", "hush#", "hu[sh", "hu sh", "hush\u2100"])
def test_an_address_that_is_refused_does_not_show_the_password_in_it(password: str) -> None:
    with pytest.raises(ValueError, match="url is not an address") as caught:
        NetworkCamera(url=f"rtsp://me:{password}@cam/1")
    assert "hu" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_cameras_password_is_not_shown() -> None:
    assert repr(NetworkCamera(url="rtsp://me:hush@cam:554/1?token=hush")) == "NetworkCamera(url='rtsp://cam:554/1')"


def test_a_camera_that_has_no_mjpeg_is_asked_for_what_it_gives() -> None:
    raw = graph.encoder(VideoDevice(path="/dev/video0", format="raw"), SMALL, out_fd=3)
    mjpeg = graph.encoder(VideoDevice(path="/dev/video0"), SMALL, out_fd=3)
    at = mjpeg.index("-input_format")
    assert mjpeg[at : at + 2] == ["-input_format", "mjpeg"]
    assert raw == mjpeg[:at] + mjpeg[at + 2 :]
