# SPDX-License-Identifier: GPL-2.0
"""browser.py - headless Chromium with a report in it.

Owns the browser: how it starts, and what a person does with keys and mouse.
"""

import json
import time
from typing import Any, Dict, List

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

FLAGS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage",
         "--disable-background-networking", "--disable-component-update",
         "--no-first-run", "--hide-scrollbars", "--force-device-scale-factor=1")

# Seconds for a page to be drawn, and for a script to end.
READY = 120


class Browser:
    """A page, and all that it logged and asked for."""

    def __init__(self, lang: str = "en", dark: bool = False):
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for flag in (*FLAGS, f"--lang={lang}"):
            options.add_argument(flag)
        options.add_experimental_option("prefs",
                                        {"intl.accept_languages": lang})
        options.set_capability("goog:loggingPrefs",
                               {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(
            options=options, service=Service("/usr/bin/chromedriver"))
        self.driver.set_script_timeout(READY)
        self.media(dark)
        self.size(1440, 1000)

    def close(self) -> None:
        self.driver.quit()

    def media(self, dark: bool, kind: str = "") -> None:
        scheme = "dark" if dark else "light"
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "media": kind, "features": [
                {"name": "prefers-color-scheme", "value": scheme}]})

    def size(self, width: int, height: int) -> None:
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1,
            "mobile": False})

    def open(self, path: str) -> None:
        self.driver.get("about:blank")
        self.logged()
        self.requests()
        self.driver.get("file://" + path)
        end = time.monotonic() + READY
        while not self.run("return document.documentElement.dataset.ready"):
            if time.monotonic() > end:
                raise AssertionError(f"{path} is not ready after {READY} s")
            time.sleep(.05)
        self.settle()

    def run(self, script: str, *args: Any) -> Any:
        return self.driver.execute_script(script, *args)

    def settle(self) -> None:
        """Until what was asked for has been drawn."""
        self.driver.execute_async_script(
            "const done = arguments[0];"
            "requestAnimationFrame(() => requestAnimationFrame(done));")

    def logged(self) -> List[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> List[str]:
        """The addresses that the page asked for since the last call."""
        messages = [json.loads(entry["message"])["message"]
                    for entry in self.driver.get_log("performance")]
        return [m["params"]["request"]["url"] for m in messages
                if m["method"] == "Network.requestWillBeSent"]

    def find(self, css: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def all(self, css: str) -> List[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def text(self, css: str) -> str:
        return self.find(css).text

    def click(self, css: str) -> None:
        element = self.find(css)
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        ActionChains(self.driver).move_to_element(element).click().perform()
        self.settle()

    def press(self, *keys: str) -> None:
        ActionChains(self.driver).send_keys(*keys).perform()
        self.settle()

    def tab_to(self, css: str, most: int = 120) -> bool:
        """Go to an element with the Tab key alone."""
        for _ in range(most):
            if self.run("return document.activeElement.matches(arguments[0])",
                        css):
                return True
            self.press(Keys.TAB)
        return False

    def plot(self, index: int) -> WebElement:
        over = self.all("#charts .u-over")[index]
        self.run("arguments[0].scrollIntoView({block: 'center'})", over)
        return over

    def drag(self, index: int, begin: float, end: float) -> None:
        """Across a chart, from and to a part of its width."""
        over = self.plot(index)
        width = over.size["width"]
        at = [round(width * part - width / 2) for part in (begin, end)]
        ActionChains(self.driver).move_to_element_with_offset(
            over, at[0], 0).click_and_hold().move_by_offset(
            at[1] - at[0], 0).release().perform()
        self.settle()

    def click_at(self, index: int, x: float, y: float) -> None:
        """A place of a chart, from its upper left corner."""
        over = self.plot(index)
        ActionChains(self.driver).move_to_element_with_offset(
            over, round(x - over.size["width"] / 2),
            round(y - over.size["height"] / 2)).click().perform()
        self.settle()

    def scales(self) -> List[List[float]]:
        return self.run(
            "return chalk.views.find((v) => v.all).all.map((c) =>"
            " [c.plot.scales.x.min, c.plot.scales.x.max])")

    def axe(self, script: str) -> List[Dict]:
        """What axe-core finds wrong."""
        self.run(script)
        found = self.driver.execute_async_script(
            "const done = arguments[0];"
            "axe.run(document).then((r) => done(r.violations))")
        return [{"rule": v["id"], "where": [n["target"] for n in v["nodes"]][:4],
                 "why": v["nodes"][0]["failureSummary"]} for v in found]

    def shot(self, path: str, whole: bool = True) -> None:
        size = self.run("return [innerWidth, innerHeight]")
        if whole:
            height = self.run("return document.documentElement.scrollHeight")
            self.size(size[0], height)
            self.settle()
        self.driver.save_screenshot(path)
        self.size(*size)
        self.settle()
