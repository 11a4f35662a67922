// What each channel takes, as it describes itself. Written by a test:
// `BLESS=1 cargo test -p chatly-console --test channels`.

export const CHANNELS = {
  "whatsapp": {
    "label": "WhatsApp",
    "sends": [
      "text",
      "media",
      "location",
      "contacts",
      "reaction",
      "template",
      "buttons",
      "menu",
      "quick_replies",
      "mark_read",
      "typing"
    ],
    "buttons": 3,
    "button_title": 20,
    "window_secs": 86400,
    "after": "template"
  },
  "messenger": {
    "label": "Messenger",
    "sends": [
      "text",
      "media",
      "template",
      "buttons",
      "menu",
      "quick_replies",
      "mark_read",
      "typing"
    ],
    "buttons": 3,
    "button_title": 20,
    "window_secs": 86400,
    "after": "tag"
  },
  "instagram": {
    "label": "Instagram",
    "sends": [
      "text",
      "media",
      "reaction",
      "buttons",
      "menu",
      "quick_replies",
      "mark_read",
      "typing"
    ],
    "buttons": 3,
    "button_title": 20,
    "window_secs": 86400,
    "after": "tag"
  },
  "telegram": {
    "label": "Telegram",
    "sends": [
      "text",
      "media",
      "location",
      "contacts",
      "reaction",
      "buttons",
      "menu",
      "quick_replies",
      "mark_read",
      "typing"
    ],
    "buttons": null,
    "button_title": null,
    "window_secs": null,
    "after": null
  },
  "line": {
    "label": "LINE",
    "sends": [
      "text",
      "media",
      "location",
      "buttons",
      "menu",
      "quick_replies",
      "typing"
    ],
    "buttons": 4,
    "button_title": 20,
    "window_secs": null,
    "after": null
  },
  "twilio": {
    "label": "Twilio",
    "sends": [
      "text",
      "media",
      "location",
      "template"
    ],
    "buttons": null,
    "button_title": null,
    "window_secs": null,
    "after": null
  },
  "slack": {
    "label": "Slack",
    "sends": [
      "text",
      "media",
      "reaction",
      "buttons",
      "menu",
      "quick_replies"
    ],
    "buttons": 25,
    "button_title": 75,
    "window_secs": null,
    "after": null
  },
  "viber": {
    "label": "Viber",
    "sends": [
      "text",
      "media",
      "location",
      "contacts",
      "buttons",
      "quick_replies"
    ],
    "buttons": 12,
    "button_title": 250,
    "window_secs": null,
    "after": null
  },
  "discord": {
    "label": "Discord",
    "sends": [
      "text",
      "media",
      "reaction",
      "buttons",
      "menu",
      "quick_replies",
      "typing"
    ],
    "buttons": 25,
    "button_title": 80,
    "window_secs": null,
    "after": null
  },
  "standard": {
    "label": "Standard Webhooks",
    "sends": [],
    "buttons": null,
    "button_title": null,
    "window_secs": null,
    "after": null
  }
};
