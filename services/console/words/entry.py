"""What the sign-in page says."""

from services.console.words.speaking import Word

WORDS = {
    "entry.title": Word("Sign in", "Вход"),
    "entry.lead": Word("For the hub's operators.", "Для операторов системы."),
    "entry.key": Word("Admin key", "Ключ администратора"),
    "entry.hint": Word(
        "On this machine it is in credentials.json of the data folder, under admin.",
        "На этой машине он в файле credentials.json папки данных, в разделе admin.",
    ),
    "entry.go": Word("Sign in", "Войти"),
    "entry.wrong": Word("This key opens nothing here.", "Этот ключ здесь ничего не открывает."),
    "entry.not_admin": Word(
        "This key is not an operator's: it lacks the scope admin, or may not be used from your address.",
        "Это не ключ оператора: у него нет права admin, или с вашего адреса он не действует.",
    ),
    "entry.too_many": Word(
        "Too many wrong keys. Wait {seconds} s and try again.", "Слишком много неверных ключей. Подождите {seconds} с."
    ),
    "entry.unavailable": Word(
        "Keys cannot be checked now, since access does not answer. Try again in a moment.",
        "Проверить ключ сейчас нельзя: сервис access не отвечает. Повторите чуть позже.",
    ),
    "entry.ended": Word("Your session has ended. Sign in again.", "Сеанс закончился. Войдите снова."),
    "entry.left": Word("You are signed out.", "Вы вышли."),
}
