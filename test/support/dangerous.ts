/** C0 but the newline, DEL, C1; bidi and zero-width marks; separators: by number, not by the classes that the code uses. */
export const dangerous =
  // eslint-disable-next-line no-control-regex, no-misleading-character-class
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]/u
